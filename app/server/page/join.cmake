# Joins the parts of the page into one file: cmake -D SOURCE=app/server/page -D OUT=page.html -P join.cmake
# The scripts share one function's scope, in this order: later ones use earlier ones.
file(READ ${SOURCE}/index.html page)
file(READ ${SOURCE}/style.css style)
set(script "\"use strict\";\n(() => {\n")
foreach(part api zip strokes photos stage queue panel main)
    file(READ ${SOURCE}/${part}.js text)
    string(APPEND script "${text}")
endforeach()
string(APPEND script "})();\n")
string(REPLACE "/*{style.css}*/" "${style}" page "${page}")
string(REPLACE "/*{script.js}*/" "${script}" page "${page}")
file(WRITE ${OUT} "${page}")
