/* Runs before the first paint, and so does next to nothing: the theme that was chosen, and the order to run the program, which lies
 * in the page as text until then, once the first paint with text is on the screen. A page that is not shown paints nothing: it does not wait,
 * and neither does one whose paint is not reported. */
"use strict";
(() => {
  try { document.documentElement.className = localStorage.getItem("theme") || ""; } catch { /* no storage: the system's choice */ }
  const begin = () => {
    const text = document.getElementById("program");
    if (!text || begin.done) return;
    begin.done = true;
    performance.mark("program");
    const program = document.createElement("script");
    program.textContent = text.textContent;
    text.replaceWith(program);
  };
  const patience = () => setTimeout(begin, document.hidden ? 0 : 500);
  try { new PerformanceObserver(l => l.getEntriesByName("first-contentful-paint").length && begin()).observe({ type: "paint", buffered: true }); } catch { /* not known here: patience alone */ }
  document.addEventListener("DOMContentLoaded", patience);
})();
