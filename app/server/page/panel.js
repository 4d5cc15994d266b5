/* Settings of the photo that is shown, facts about it, and what is done with the result. */
const panel = (() => {
  const $ = id => document.getElementById(id);
  /* id, name of the option, smallest, largest, step, where the slider stands while nobody has moved it */
  const sliders = [["erode", "erode", 1, 60, 1, 6], ["dilate", "dilate", 1, 60, 1, 6], ["black", "black-point", 0.01, 0.98, 0.01, 0.01], ["white", "white-point", 0.02, 0.99, 0.01, 0.99]];
  const methods = [["", "Automatic"], ["vitmatte", "VITMatte"], ["vitmatte-local", "VITMatte, edge only"], ["pymatting", "Closed form"], ["guided", "Guided filter"], ["none", "None: the mask itself"]];
  const colours = ["#ffffff", "#000000", "#d9482b", "#2f7d5b", "#2b5fa8"];
  const self = { toast() {} };
  let timer = 0;

  const seconds = s => (s < 9.95 ? s.toFixed(s < 0.995 ? 2 : 1) : Math.round(s)) + " s";
  const bytes = n => (n < 1e9 ? Math.round(n / 1e6) + " MB" : (n / 1e9).toFixed(1) + " GB");
  self.seconds = seconds;
  self.bytes = bytes;

  function fill(select, options, value) {
    select.replaceChildren(...options.map(([v, text]) => new Option(text, v, false, v === value)));
  }
  self.setModels = about => {
    const models = about.models || [], masks = models.filter(m => m.task !== "matting" && m.name !== "default").map(m => [m.name, m.name]);
    const main = models.find(m => m.default);
    fill($("model"), [["", main && main.name !== "default" ? `Default (${main.name})` : "Built-in model"], ...masks], "");
    /* VITMatte needs a model file that is there or not */
    const matting = models.some(m => m.task === "matting");
    fill($("method"), methods.filter(([v]) => matting || !v.startsWith("vitmatte")), "");
    for (const [id, , least, most, step] of sliders) Object.assign($(id), { min: least, max: most, step });
  };
  self.show = photo => {
    const s = photo.settings;
    $("name").textContent = photo.name;
    $("name").title = photo.name;
    $("model").value = s.model;
    $("method").value = s.detail;
    for (const [id, name, , , , rest] of sliders) {
      $(id).value = s[name] ?? rest;
      $(id).nextElementSibling.value = s[name] ?? "auto";
      $(id).parentNode.classList.toggle("off", s[name] === null);
    }
    self.update(photo);
  };
  /* "decode;dur=1.2, queue;dur=0.1" as a list. */
  function times(text) {
    const parts = [...text.matchAll(/([\w-]+);dur=([\d.]+)/g)];
    $("times").hidden = !parts.length;
    $("times-list").replaceChildren(...parts.flatMap(([, name, ms]) => {
      const dt = document.createElement("dt"), dd = document.createElement("dd");
      dt.textContent = name;
      dd.textContent = seconds(ms / 1000);
      return [dt, dd];
    }));
  }
  /* A message and its hint as two sentences. */
  self.sentences = (...parts) => parts.filter(Boolean).map(t => t[0].toUpperCase() + t.slice(1) + (/[.!?]$/.test(t) ? "" : ".")).join(" ");
  self.update = photo => {
    const lines = [], size = photo.width ? [photo.width, photo.height] : photo.bitmap ? [photo.bitmap.width, photo.bitmap.height] : null;
    if (size) lines.push(`${size[0]} × ${size[1]} · ${((size[0] * size[1]) / 1e6).toFixed(1)} MP`);
    const r = photo.report, e = photo.estimate;
    if (photo.state === "done" && r) {
      const last = [`${seconds(photo.seconds)}`];
      if (r.memory) last.push(`peak ${bytes(r.memory)}`);
      if (r.model) last.push(r.model === "default" ? "built-in model" : r.model);
      lines.push(last.join(" · "));
    } else if (e && (e.seconds || e.bytes)) {
      lines.push(`About ${[e.seconds ? seconds(e.seconds + (e.seconds_wait || 0)) : "", e.bytes ? bytes(e.bytes) : "", e.fits === false ? "more memory than there is" : ""].filter(Boolean).join(" and ")}`);
    }
    $("facts").textContent = lines.join("\n");
    times(photo.state === "done" && r ? r.timing : "");
    const doubt = photo.state === "done" && r && (r.doubtful || r.warning);
    $("doubt").hidden = !doubt;
    $("doubt").textContent = doubt ? r.warning || "This may not be what you meant: look at it, or help with Restore and Erase." : "";
    const there = !!photo.cutout;
    for (const id of ["download", "download-mask", "copy"]) $(id).disabled = !there;
    $("download-all").disabled = photos.ready().length === 0;
    $("download-all").textContent = photos.list.length > 1 ? `All as ZIP (${photos.ready().length})` : "ZIP";
    $("undo").disabled = !photo.strokes.length;
    $("redo").disabled = !photo.undone.length;
  };

  function change(now) {
    clearTimeout(timer);
    const photo = photos.current;
    if (!photo) return;
    Object.assign(photos.common, { model: photo.settings.model, detail: photo.settings.detail });
    timer = setTimeout(() => photos.touch(photo), now ? 0 : 160);
  }
  const set = (name, value, now) => {
    if (!photos.current) return;
    photos.current.settings[name] = value;
    self.show(photos.current);
    change(now);
  };
  $("model").onchange = e => set("model", e.target.value, true);
  $("method").onchange = e => set("detail", e.target.value, true);
  for (const [id, name] of sliders) $(id).oninput = e => set(name, +e.target.value, false);
  $("reset").onclick = () => {
    if (!photos.current) return;
    Object.assign(photos.current.settings, photos.defaults);
    self.show(photos.current);
    change(true);
  };
  $("apply-all").onclick = () => {
    if (!photos.current) return;
    photos.common = { ...photos.current.settings };
    const same = JSON.stringify(photos.current.settings);
    let n = 0;
    for (const p of photos.list) if (JSON.stringify(p.settings) !== same) { p.settings = { ...photos.current.settings }; photos.touch(p); n++; }
    self.toast(n ? `Used for ${n} more photo${n === 1 ? "" : "s"} and for those to come` : "All photos have these settings");
  };

  /* ---- backgrounds */
  const swatches = $("backgrounds");
  function swatch(kind, label, make) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("role", "radio");
    button.setAttribute("aria-label", label);
    button.title = label;
    make(button);
    button.onclick = () => self.setBackground(kind, button);
    swatches.append(button);
    return button;
  }
  self.setBackground = (background, button) => {
    for (const b of swatches.children) b.setAttribute("aria-checked", b === button);
    stage.background = background;
    $("blur-row").hidden = background.kind !== "blur";
    $("download").textContent = background.kind === "chequer" ? "Download PNG" : "Download with background";
    if (background.kind === "picture" && !background.bitmap) $("background-file").click();
    stage.draw();
  };
  const none = swatch({ kind: "chequer" }, "Transparent", b => b.classList.add("chequer"));
  for (const colour of colours) swatch({ kind: "colour", colour }, colour, b => b.style.setProperty("background", colour));
  const any = { kind: "colour", colour: "#e9b44c" };
  swatch(any, "Any colour", b => {
    b.classList.add("rainbow");
    const input = document.createElement("input");
    input.type = "color";
    input.value = any.colour;
    input.setAttribute("aria-label", "Any colour");
    input.oninput = () => { any.colour = input.value; b.classList.remove("rainbow"); b.style.setProperty("background", input.value); self.setBackground(any, b); };
    b.append(input);
  });
  swatch({ kind: "blur" }, "The photo, blurred", b => { b.classList.add("text"); b.textContent = "Blur"; });
  const picture = { kind: "picture", bitmap: null };
  const pictureButton = swatch(picture, "A picture of your own", b => { b.classList.add("text"); b.textContent = "Picture"; });
  $("background-file").onchange = async e => {
    const file = e.target.files[0];
    e.target.value = "";
    if (!file) return;
    try {
      picture.bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch { return self.toast("The browser cannot read that picture"); }
    self.setBackground(picture, pictureButton);
  };
  pictureButton.addEventListener("dblclick", () => $("background-file").click());
  self.setBackground({ kind: "chequer" }, none);
  $("blur").oninput = e => { stage.blur = +e.target.value; e.target.nextElementSibling.value = e.target.value; stage.draw(); };

  /* ---- what is taken home */
  const stem = name => name.replace(/\.[^.]*$/, "");
  function save(blob, name) {
    const a = document.createElement("a");
    a.href = URL.createObjectURL(blob);
    a.download = name;
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 60000);
  }
  /* The server's own file where the background is transparent, else the composite in the photo's size. */
  async function final(photo) {
    if (stage.background.kind === "chequer") return { blob: photo.blob, name: stem(photo.name) + ".cutout.png" };
    const canvas = document.createElement("canvas"), t = canvas.getContext("2d");
    canvas.width = photo.cutout.width;
    canvas.height = photo.cutout.height;
    stage.paintBackground(t, photo, 0, 0, canvas.width, canvas.height, Math.max(canvas.width, canvas.height) / 1000, true);
    t.drawImage(photo.cutout, 0, 0);
    return { blob: await new Promise(go => canvas.toBlob(go, "image/png")), name: stem(photo.name) + ".composite.png" };
  }
  self.download = async () => {
    if (!photos.current || !photos.current.cutout) return;
    const { blob, name } = await final(photos.current);
    save(blob, name);
  };
  $("download").onclick = self.download;
  $("download-mask").onclick = () => photos.alpha(photos.current).toBlob(blob => save(blob, stem(photos.current.name) + ".alpha.png"), "image/png");
  $("copy").onclick = async () => {
    try {
      const photo = photos.current;
      await navigator.clipboard.write([new ClipboardItem({ "image/png": final(photo).then(r => r.blob) })]);
      self.toast("Copied");
    } catch { self.toast("The browser does not allow copying pictures here (it wants https or localhost)"); }
  };
  $("download-all").onclick = async () => {
    const files = [], used = new Set();
    for (const photo of photos.ready()) {
      const { blob, name } = await final(photo), alpha = await new Promise(go => photos.alpha(photo).toBlob(go, "image/png"));
      let base = stem(name), n = 2;
      while (used.has(base)) base = `${stem(name)} (${n++})`;
      used.add(base);
      files.push({ name: base + ".png", blob }, { name: base.replace(/\.(cutout|composite)/, ".alpha") + ".png", blob: alpha });
    }
    save(await makeZip(files), "mattebox.zip");
  };
  return self;
})();
