# Joins the parts of the page into one file, and writes what a browser may do with it: cmake -D SOURCE=app/server/page
# -D OUT=page.html -D POLICY=page.csp -P join.cmake
# The scripts share one function's scope, in this order: later ones use earlier ones. They run after the first paint: first.js.
file(READ ${SOURCE}/index.html page)
file(READ ${SOURCE}/first.js first)
file(READ ${SOURCE}/style.css style)
set(script "\"use strict\";\n(() => {\n")
foreach(part api zip strokes photos stage queue panel main)
    file(READ ${SOURCE}/${part}.js text)
    string(APPEND script "${text}")
endforeach()
string(APPEND script "})();\n")
string(REPLACE "/*{style.css}*/" "${style}" page "${page}")
string(REPLACE "/*{first.js}*/" "${first}" page "${page}")
string(REPLACE "/*{script.js}*/" "${script}" page "${page}")
file(WRITE ${OUT} "${page}")

# Content-Security-Policy: the style and the two scripts of the page by their SHA-256, in base64, and nothing else inline.
set(digits "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
function(hash_of text result)
    string(SHA256 hex "${text}")
    set(hash "")
    foreach(at RANGE 0 60 6) # 3 bytes are 4 digits; the last 2 bytes are 3 and a "="
        string(SUBSTRING "${hex}00" ${at} 6 group)
        foreach(shift 18 12 6 0)
            math(EXPR digit "(0x${group} >> ${shift}) & 63")
            string(SUBSTRING "${digits}" ${digit} 1 digit)
            string(APPEND hash "${digit}")
        endforeach()
    endforeach()
    string(SUBSTRING "${hash}" 0 43 hash)
    set(${result} "'sha256-${hash}='" PARENT_SCOPE)
endfunction()
hash_of("${style}" style_hash)
hash_of("${first}" first_hash)
hash_of("${script}" script_hash)
file(WRITE ${POLICY} "default-src 'none'; script-src ${first_hash} ${script_hash}; style-src ${style_hash}; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
