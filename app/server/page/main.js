/* Joins the parts: what the user does anywhere on the page, and what is said about the photo that is shown. */
(() => {
  const $ = id => document.getElementById(id);
  let toastTimer = 0;
  const toast = text => {
    $("toast").textContent = text;
    $("toast").classList.add("on");
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => $("toast").classList.remove("on"), 3200);
  };
  panel.toast = toast;
  api.askToken = async () => prompt("This server wants a token:");

  /* ---- photos come in: chosen, dropped, pasted */
  const looksLikePicture = f => !f.type || f.type.startsWith("image/") || /\.(hei[cf]|avif|tiff?|jxl|psd|p[npgb]m|tga|hdr)$/i.test(f.name);
  const take = files => {
    const all = [...files], good = all.filter(f => looksLikePicture(f) && !f.name.startsWith("."));
    if (good.length) { document.body.classList.remove("empty"); photos.add(good); }
    if (all.length > good.length && all.length - good.length < 50) toast(good.length ? `${all.length - good.length} of ${all.length} files are no pictures` : "These files are no pictures");
  };
  const taken = e => { take(e.files); e.value = ""; };
  for (const id of ["files", "folder"]) $(id).onchange = e => taken(e.target);
  const choose = () => $("files").click();
  for (const id of ["choose", "add", "add-tile"]) $(id).onclick = choose;
  $("choose-folder").onclick = () => $("folder").click();
  addEventListener("paste", e => { if (e.clipboardData && e.clipboardData.files.length) { e.preventDefault(); take(e.clipboardData.files); } });
  async function inside(entry, out) {
    if (entry.isFile) out.push(await new Promise((go, no) => entry.file(go, no)));
    else if (entry.isDirectory) {
      const reader = entry.createReader();
      for (let some; (some = await new Promise((go, no) => reader.readEntries(go, no))).length; ) for (const one of some) await inside(one, out);
    }
  }
  let depth = 0;
  addEventListener("dragenter", e => { e.preventDefault(); if ([...e.dataTransfer.types].includes("Files")) { depth++; $("drop").classList.add("on"); } });
  addEventListener("dragleave", () => { if (--depth <= 0) { depth = 0; $("drop").classList.remove("on"); } });
  addEventListener("dragover", e => e.preventDefault());
  addEventListener("drop", async e => {
    e.preventDefault();
    depth = 0;
    $("drop").classList.remove("on");
    const entries = [...e.dataTransfer.items].map(i => i.webkitGetAsEntry && i.webkitGetAsEntry()).filter(Boolean);
    if (!entries.some(entry => entry.isDirectory)) return take(e.dataTransfer.files);
    const out = [];
    for (const entry of entries) await inside(entry, out);
    take(out);
  });

  /* ---- the photo that is shown */
  const stages = { receiving: "Sending", queued: "Waiting for the server", waiting: "Waiting for the server", decoding: "Reading the photo", network: "Finding the subject", mask: "Finding the subject", grabcut: "Finding its outline", refine: "Refining the edge", colours: "Cleaning its colours", encoding: "Writing the result" };
  function veil(photo) {
    const v = $("veil"), error = photo.error, busy = photo.state === "working" || photo.state === "queued";
    v.classList.toggle("on", busy || !!error && photo.state === "failed");
    v.classList.toggle("bad", photo.state === "failed" && !(error && error.stopped));
    v.classList.toggle("high", !!photo.cutout || busy);
    if (photo.state === "failed") {
      $("veil-title").textContent = error.stopped ? "Stopped" : "This photo could not be cut out";
      $("veil-text").textContent = error.stopped ? "" : panel.sentences(error.message.replace(/^photo: /, ""), error.hint);
      $("veil-button").textContent = "Try again";
    } else if (busy) {
      const e = photo.estimate;
      $("veil-title").textContent = photo.state === "queued" ? "Waiting" : stages[photo.stage] || photo.stage || "Working";
      $("veil-text").textContent = e && e.seconds ? `about ${panel.seconds(e.seconds)}${e.bytes ? ", " + panel.bytes(e.bytes) : ""}` : "";
      $("veil-button").textContent = "Stop";
    }
    $("ring").querySelector(".done").style.strokeDasharray = `${photo.progress * 100} 100`;
  }
  $("veil-button").onclick = () => { const p = photos.current; if (p.state === "failed") photos.again(p); else photos.stop(p); };
  photos.changed = photo => {
    queue.update(photo);
    if (photo !== photos.current) return void panel.update(photos.current || photo);
    veil(photo);
    panel.update(photo);
    stage.show(photo);
  };
  photos.listed = () => {
    queue.list();
    document.body.classList.toggle("empty", photos.list.length === 0);
    if (photos.current) { panel.show(photos.current); veil(photos.current); stage.show(photos.current); }
  };

  /* ---- view, tools, zoom */
  const radio = (group, choose) => {
    const buttons = [...group.querySelectorAll("[role=radio]")];
    const pick = button => {
      for (const b of buttons) { b.setAttribute("aria-checked", b === button); b.tabIndex = b === button ? 0 : -1; }
      choose(button);
    };
    for (const b of buttons) b.addEventListener("click", () => pick(b));
    group.addEventListener("keydown", e => {
      const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
      if (!by) return;
      e.preventDefault();
      e.stopPropagation();
      const next = buttons[(buttons.indexOf(document.activeElement) + by + buttons.length) % buttons.length];
      next.focus();
      pick(next);
    });
    return i => pick(buttons[i]);
  };
  const view = radio($("views"), b => { stage.view = b.dataset.view; $("tag-right").textContent = b.textContent; stage.draw(); });
  const tool = radio($("tools"), b => stage.setTool(b.dataset.tool));
  const compare = () => {
    stage.compare(!stage.comparing);
    $("compare-on").setAttribute("aria-pressed", stage.comparing);
    if (stage.comparing) $("compare").focus({ preventScroll: true });
  };
  $("compare-on").onclick = compare;
  $("zoom-in").onclick = () => stage.zoom(1.25);
  $("zoom-out").onclick = () => stage.zoom(0.8);
  $("zoom-fit").onclick = () => stage.toggleFit();
  stage.onZoom = (scale, fit) => { $("zoom-fit").textContent = Math.round(scale * 100) + " %"; $("zoom-fit").title = fit ? "100 % (9)" : "Fit (0)"; };
  $("size").oninput = e => stage.setSize(+e.target.value);
  const brush = by => { stage.setSize(stage.size * by); $("size").value = stage.size; };

  /* ---- strokes */
  stage.onStroke = stroke => { const p = photos.current; p.strokes.push(stroke); p.undone = []; photos.touch(p); };
  const undo = back => {
    const p = photos.current;
    if (!p) return;
    const [from, to] = back ? [p.strokes, p.undone] : [p.undone, p.strokes];
    if (from.length) { to.push(from.pop()); photos.touch(p); }
  };
  $("undo").onclick = () => undo(true);
  $("redo").onclick = () => undo(false);

  /* ---- light or dark */
  const root = document.documentElement;
  const theme = name => { root.classList.remove("light", "dark"); if (name) root.classList.add(name); stage.draw(); };
  const flip = () => {
    const dark = root.classList.contains("dark") || (!root.classList.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches), to = dark ? "light" : "dark";
    theme(to);
    try { localStorage.setItem("theme", to); } catch { /* only for now */ }
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => stage.draw());
  $("theme").onclick = flip;
  const help = () => $("help").showModal();
  $("keys").onclick = help;

  /* ---- keyboard */
  addEventListener("keydown", e => {
    if ($("help").open || e.target.matches("input[type=text], select")) return;
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key, full = photos.list.length > 0;
    if ((e.ctrlKey || e.metaKey) && key === "z") { e.preventDefault(); return undo(!e.shiftKey); }
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const slider = e.target.matches("input[type=range]");
    const always = { o: choose, t: flip, "?": help };
    const withPhoto = {
      j: () => photos.step(1), k: () => photos.step(-1), Delete: () => photos.remove(photos.current),
      1: () => view(0), 2: () => view(1), 3: () => view(2), 4: () => view(3), c: compare, 0: stage.fit, 9: () => stage.actual(), "+": () => stage.zoom(1.25), "=": () => stage.zoom(1.25), "-": () => stage.zoom(0.8),
      v: () => tool(0), r: () => tool(1), e: () => tool(2), "[": () => brush(0.85), "]": () => brush(1.18), s: panel.download, z: () => stage.loupe(true),
      ...(e.target === $("stage") || e.target === document.body ? { ArrowLeft: () => stage.move(40, 0), ArrowRight: () => stage.move(-40, 0), ArrowUp: () => stage.move(0, 40), ArrowDown: () => stage.move(0, -40), " ": () => stage.hold(true) } : {}),
      Escape: () => { const p = photos.current; if (p && (p.state === "working" || p.state === "queued")) photos.stop(p); },
    };
    const action = always[key] || (full && !(slider && /^[0-9+\-=]|Arrow/.test(key)) && withPhoto[key]);
    if (action) { e.preventDefault(); action(); }
  });
  addEventListener("keyup", e => { if (e.key === "z" || e.key === "Z") stage.loupe(false); if (e.key === " ") stage.hold(null); });
  addEventListener("blur", () => { stage.loupe(false); stage.hold(null); });
  addEventListener("beforeunload", e => { if (photos.list.some(p => p.state === "working" || p.strokes.length)) e.preventDefault(); });
  addEventListener("pagehide", () => { for (const p of photos.list) if (p.id) fetch("/v1/photos/" + p.id, { method: "DELETE", keepalive: true }).catch(() => {}); });

  if (!["localhost", "127.0.0.1", "[::1]"].includes(location.hostname)) $("promise").textContent = "Photos go to " + location.hostname + " and no further";
  panel.setModels({});
  api.models().then(about => { panel.setModels(about); if (photos.current) panel.show(photos.current); }, error => toast(error.message));
  for (const id of ["files", "folder"]) if ($(id).files.length) taken($(id)); // chosen before this ran
})();
