/* The photos of the page, and their way through the server. A photo is { key, file, name, state, ... }; views are told by
 * photos.changed(photo). One photo is worked on at a time; whoever looks at one comes first. */
const photos = (() => {
  const list = [];
  let current = null, next = 1, busy = null;
  const defaults = { model: "", detail: "", erode: null, dilate: null, "black-point": null, "white-point": null };
  const self = { list, defaults, changed() {}, listed() {}, get current() { return current; } };

  const settled = () => list.filter(p => p.state === "done" && p.cutout);

  /* Only what somebody has chosen is sent: the rest are the server's defaults. */
  const sent = settings => ({ ...settings });

  self.add = files => {
    const added = [...files].map(file => ({
      key: next++, file, name: file.name || "pasted.png", settings: { ...self.common }, strokes: [], undone: [],
      state: "queued", stage: "", progress: 0, version: 0, shown: -1,
    }));
    list.push(...added);
    for (const photo of added) photo.looked = look(photo);
    self.listed();
    if (!current && added.length) self.select(added[0]);
    pump();
    return added;
  };
  self.common = { ...defaults };

  /* The photo as the browser sees it; what it cannot read (HEIC, TIFF) comes from the server after the upload. */
  async function look(photo) {
    try {
      photo.bitmap = await createImageBitmap(photo.file, { imageOrientation: "from-image" });
      thumbnail(photo);
    } catch { /* the server shows it after the upload */ }
    self.changed(photo);
    await foresee(photo);
  }
  /* What it will take, said before it starts. */
  async function foresee(photo) {
    const [w, h] = photo.width ? [photo.width, photo.height] : photo.bitmap ? [photo.bitmap.width, photo.bitmap.height] : [0, 0];
    if (!w) return;
    const version = photo.version, estimate = await api.estimate(w, h, sent(photo.settings)).catch(() => null);
    if (version !== photo.version || photo.removed) return;
    photo.estimate = estimate;
    self.changed(photo);
  }
  function thumbnail(photo) {
    const side = 132, { width, height } = photo.bitmap, scale = side / Math.min(width, height), canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(photo.bitmap, (side - width * scale) / 2, (side - height * scale) / 2, width * scale, height * scale);
    photo.thumb = canvas.toDataURL("image/jpeg", 0.8);
  }

  self.select = photo => {
    current = photo;
    self.listed();
    self.changed(photo);
    pump();
  };
  self.step = by => {
    const i = list.indexOf(current) + by;
    if (i >= 0 && i < list.length) self.select(list[i]);
  };
  self.remove = photo => {
    const i = list.indexOf(photo);
    if (i < 0) return;
    self.stop(photo);
    photo.removed = true;
    if (photo.id) api.forget(photo.id);
    list.splice(i, 1);
    if (current === photo) current = list[Math.min(i, list.length - 1)] || null;
    self.listed();
    if (current) self.changed(current);
    pump();
  };
  self.stop = photo => {
    if (photo.abort) {
      if (photo.request) api.cancel(photo.request);
      photo.abort.abort();
    } else if (photo.state === "queued") {
      fail(photo, { message: "Stopped before it began.", stopped: true });
    }
  };
  self.again = photo => {
    photo.state = "queued";
    photo.error = null;
    self.changed(photo);
    pump();
  };
  /* New settings or strokes: what is shown is old from now on, and is made again. */
  self.touch = photo => {
    photo.version++;
    foresee(photo);
    if (photo.state === "done" || photo.state === "failed") photo.state = "queued";
    if (busy === photo && photo.abort && photo.state === "working") {
      photo.restart = true;
      if (photo.request) api.cancel(photo.request);
      photo.abort.abort();
    }
    self.changed(photo);
    pump();
  };

  function fail(photo, error) {
    photo.state = "failed";
    photo.error = error;
    self.changed(photo);
  }

  async function pump() {
    if (busy) return;
    const photo = current && current.state === "queued" ? current : list.find(p => p.state === "queued");
    if (!photo) return;
    busy = photo;
    photo.abort = new AbortController();
    photo.restart = false;
    try {
      await work(photo, photo.abort.signal);
    } catch (error) {
      if (photo.restart) photo.state = "queued";
      else if (error.name === "AbortError") fail(photo, { message: "Stopped.", stopped: true });
      else if (error.status === 404 && photo.id && !photo.lost) {
        /* kept photos are forgotten after a while: it is sent once more */
        photo.id = null;
        photo.lost = true;
        photo.state = "queued";
      } else fail(photo, error);
    }
    photo.abort = photo.request = null;
    busy = null;
    self.changed(photo);
    pump();
  }

  async function work(photo, signal) {
    const mark = (state, stage, progress) => {
      photo.state = state;
      photo.stage = stage;
      photo.progress = progress;
      self.changed(photo);
    };
    if (!photo.id) {
      mark("working", "Sending", 0);
      const kept = await api.upload(photo.file, signal, share => mark("working", "Sending", share * 0.1));
      Object.assign(photo, { id: kept.id, width: kept.width, height: kept.height });
      if (photo.removed) return void api.forget(photo.id);
    }
    await photo.looked;
    if (!photo.bitmap) {
      photo.bitmap = await createImageBitmap(await api.photo(photo.id));
      thumbnail(photo);
    }
    photo.version_sent = photo.version;
    const settings = sent(photo.settings), hints = await strokes.hints(photo.strokes, photo.width, photo.height);
    if (!photo.estimate) await foresee(photo);
    mark("working", "Starting", 0.1);
    photo.request = "page-" + Date.now() + "-" + photo.key;
    const started = performance.now();
    const poll = setInterval(async () => {
      const p = photo.request && !document.hidden && await api.progress(photo.request).catch(() => null);
      if (p && p.state !== "unknown" && photo.state === "working") mark("working", p.state === "running" ? p.stage : p.state, 0.1 + 0.9 * Math.max(0, Math.min(1, p.progress || 0)));
    }, 250);
    try {
      const { blob, headers } = await api.cut(photo.request, photo.id, settings, "cutout", hints, signal);
      const bitmap = await createImageBitmap(blob);
      if (photo.cutout) photo.cutout.close();
      Object.assign(photo, { blob, cutout: bitmap, alpha: null, lost: false, shown: photo.version_sent });
      photo.seconds = (performance.now() - started) / 1000;
      photo.report = readHeaders(headers);
      if (photo.mask_of !== settings.model) photo.mask = null;
    } finally { clearInterval(poll); }
    mark(photo.version === photo.version_sent ? "done" : "queued", "", 1);
  }

  function readHeaders(headers) {
    const result = JSON.parse(headers.get("X-Mattebox-Result") || "{}");
    return { model: result.model || "", doubtful: !!result.doubtful, memory: result.peak_bytes, warning: (result.warnings || []).join(". "), timing: headers.get("Server-Timing") || "" };
  }

  /* Alpha as a grey picture (exact: a cut-out's alpha channel is not touched by the browser). */
  self.alpha = photo => {
    if (!photo.alpha && photo.cutout) photo.alpha = greyOf(photo.cutout, (d, i) => d[i + 3]);
    return photo.alpha;
  };
  function greyOf(bitmap, value) {
    const canvas = document.createElement("canvas");
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    const image = context.getImageData(0, 0, canvas.width, canvas.height), d = image.data;
    for (let i = 0; i < d.length; i += 4) {
      d[i] = d[i + 1] = d[i + 2] = value(d, i);
      d[i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }
  /* The mask of the network, before the edge: asked for when somebody looks at it. */
  self.mask = async photo => {
    if (photo.mask || !photo.id || photo.asked === photo.settings.model) return;
    photo.asked = photo.settings.model;
    try {
      const { blob } = await api.cut("mask-" + photo.key + "-" + Date.now(), photo.id, sent(photo.settings), "raw-mask", null);
      photo.mask = await createImageBitmap(blob);
      photo.mask_of = photo.settings.model;
      self.changed(photo);
    } catch { /* the view says that there is none */ }
    photo.asked = null;
  };
  self.ready = settled;
  return self;
})();
