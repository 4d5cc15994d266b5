/* The picture: what is drawn, zoom, moving, the line of the comparison, the loupe, the brush. */
const stage = (() => {
  const $ = id => document.getElementById(id);
  const box = $("stage"), canvas = $("canvas"), context = canvas.getContext("2d"), loupe = $("loupe"), brush = $("brush"), line = $("compare");
  const self = { view: "cutout", tool: "move", size: 40, comparing: false, share: 0.5, background: { kind: "chequer" }, blur: 18, onStroke() {}, onZoom() {} };
  let fit = true, scale = 1, left = 0, top = 0, photo = null, ratio = 1, pointer = null, drawing = null, held = null, loupeOn = false, waiting = 0;

  const size = () => (photo && (photo.width ? [photo.width, photo.height] : photo.bitmap ? [photo.bitmap.width, photo.bitmap.height] : null));
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const border = () => ({ x: 24, top: 60, bottom: 64 });

  function fitScale() {
    const [w, h] = size(), b = border();
    return Math.max(0.01, Math.min((box.clientWidth - 2 * b.x) / w, (box.clientHeight - b.top - b.bottom) / h));
  }
  function place() {
    if (!size()) return;
    const [w, h] = size(), b = border();
    if (fit) {
      scale = fitScale();
      left = (box.clientWidth - w * scale) / 2;
      top = b.top + (box.clientHeight - b.top - b.bottom - h * scale) / 2;
    } else {
      /* a part of the picture always stays in sight */
      left = Math.min(box.clientWidth - 60, Math.max(60 - w * scale, left));
      top = Math.min(box.clientHeight - 60, Math.max(60 - h * scale, top));
    }
    self.onZoom(scale * ratio, fit);
  }
  self.zoomTo = (to, x = box.clientWidth / 2, y = box.clientHeight / 2) => {
    if (!size()) return;
    to = Math.min(32, Math.max(Math.min(0.05, fitScale()), to));
    left = x - ((x - left) * to) / scale;
    top = y - ((y - top) * to) / scale;
    scale = to;
    fit = false;
    self.draw();
  };
  self.zoom = (by, x, y) => self.zoomTo(scale * by, x, y);
  self.fit = () => { fit = true; self.draw(); };
  self.actual = (x, y) => self.zoomTo(1 / ratio, x, y);
  self.toggleFit = () => (fit ? self.actual() : self.fit());
  self.move = (dx, dy) => { fit = false; left += dx; top += dy; self.draw(); };
  self.show = p => {
    if (photo !== p) { photo = p; fit = true; }
    self.draw();
  };
  self.draw = () => {
    if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; paint(); });
  };

  let tile = null, tileOf = "";
  function chequer(target) {
    const key = css("--c0") + css("--c1") + ratio;
    if (tileOf !== key) {
      tile = document.createElement("canvas");
      const n = Math.round(9 * ratio);
      tile.width = tile.height = 2 * n;
      const t = tile.getContext("2d");
      t.fillStyle = css("--c0");
      t.fillRect(0, 0, 2 * n, 2 * n);
      t.fillStyle = css("--c1");
      t.fillRect(0, 0, n, n);
      t.fillRect(n, n, n, n);
      tileOf = key;
    }
    return target.createPattern(tile, "repeat");
  }
  /* The background at the picture's place: also that of a download, where `target` has the photo's size. */
  self.paintBackground = (target, p, x, y, w, h, blurScale, forFile) => {
    const b = self.background;
    target.save();
    if (b.kind === "colour") {
      target.fillStyle = b.colour;
      target.fillRect(x, y, w, h);
    } else if (b.kind === "picture" && b.bitmap) {
      const s = Math.max(w / b.bitmap.width, h / b.bitmap.height), bw = b.bitmap.width * s, bh = b.bitmap.height * s;
      target.beginPath();
      target.rect(x, y, w, h);
      target.clip();
      target.drawImage(b.bitmap, x + (w - bw) / 2, y + (h - bh) / 2, bw, bh);
    } else if (b.kind === "blur" && p.bitmap) {
      target.beginPath();
      target.rect(x, y, w, h);
      target.clip();
      const r = self.blur * blurScale;
      target.filter = `blur(${r}px)`;
      target.drawImage(p.bitmap, x - r, y - r, w + 2 * r, h + 2 * r);
      target.filter = "none";
    } else if (!forFile) {
      target.fillStyle = chequer(target);
      target.fillRect(x, y, w, h);
    }
    target.restore();
  };
  function result(target, x, y, w, h) {
    if (self.view === "alpha") target.drawImage(photos.alpha(photo), x, y, w, h);
    else if (self.view === "mask") {
      if (photo.mask) target.drawImage(photo.mask, x, y, w, h);
      else photos.mask(photo);
    } else if (self.view === "overlay") {
      target.drawImage(photo.bitmap, x, y, w, h);
      target.globalAlpha = 0.6;
      target.drawImage(overlay(), x, y, w, h);
      target.globalAlpha = 1;
    } else {
      self.paintBackground(target, photo, x, y, w, h, w / size()[0] * Math.max(...size()) / 1000);
      target.drawImage(photo.cutout, x, y, w, h);
    }
  }
  /* Red where nothing was kept. */
  function overlay() {
    if (photo.red && photo.red.of === photo.cutout) return photo.red.canvas;
    const c = document.createElement("canvas"), t = c.getContext("2d");
    c.width = photo.cutout.width;
    c.height = photo.cutout.height;
    t.fillStyle = "#e8172b";
    t.fillRect(0, 0, c.width, c.height);
    t.globalCompositeOperation = "destination-out";
    t.drawImage(photo.cutout, 0, 0);
    photo.red = { of: photo.cutout, canvas: c };
    return c;
  }
  function compose(target, x, y, w, h) {
    target.imageSmoothingEnabled = w / size()[0] < 3;
    target.imageSmoothingQuality = "high";
    if (!photo.cutout) {
      if (photo.bitmap) target.drawImage(photo.bitmap, x, y, w, h);
      return;
    }
    result(target, x, y, w, h);
    if (self.comparing && photo.bitmap) {
      target.save();
      target.beginPath();
      target.rect(x, y, w * self.share, h);
      target.clip();
      target.drawImage(photo.bitmap, x, y, w, h);
      target.restore();
    }
    const live = drawing ? [...photo.strokes, drawing] : photo.version === photo.shown ? (self.tool === "move" ? [] : photo.strokes) : photo.strokes;
    for (const stroke of live) {
      target.save();
      target.globalAlpha = stroke === drawing || photo.version !== photo.shown ? 0.55 : 0.16;
      target.translate(x, y);
      target.strokeStyle = stroke.erase ? "#e8172b" : "#1fa35c";
      strokes.path(target, stroke, w / size()[0]);
      target.restore();
    }
  }
  const markComparing = () => box.classList.toggle("comparing", self.comparing && !!photo && !!photo.cutout);
  /* The comparison's line is as long as the picture; its two names stand in the picture's lower corners, clear of the tools. */
  function placeLine(w, h) {
    const up = Math.max(0, top), down = Math.min(box.clientHeight, top + h), foot = Math.min(down, box.clientHeight - border().bottom) - 34;
    line.style.left = left + w * self.share + "px";
    line.style.top = up + "px";
    line.style.height = Math.max(40, down - up) + "px";
    $("tag-left").style.transform = `translate(${Math.max(8, left + 10)}px, ${foot}px)`;
    $("tag-right").style.transform = `translate(${Math.min(box.clientWidth - 8, left + w - 10)}px, ${foot}px) translateX(-100%)`;
  }
  function paint() {
    ratio = devicePixelRatio || 1;
    const w = Math.round(box.clientWidth * ratio), h = Math.round(box.clientHeight * ratio);
    if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, w, h);
    if (!size()) return;
    place();
    const [pw, ph] = size();
    context.save();
    context.shadowColor = "#0003";
    context.shadowBlur = 24 * ratio;
    context.shadowOffsetY = 5 * ratio;
    context.fillStyle = css("--c0");
    context.fillRect(left * ratio, top * ratio, pw * scale * ratio, ph * scale * ratio);
    context.restore();
    compose(context, left * ratio, top * ratio, pw * scale * ratio, ph * scale * ratio);
    markComparing();
    box.classList.toggle("painting", self.tool !== "move" && !held);
    placeLine(pw * scale, ph * scale);
    line.setAttribute("aria-valuenow", Math.round(self.share * 100));
    if (loupeOn) paintLoupe();
  }
  function paintLoupe() {
    loupe.classList.toggle("on", !!(loupeOn && pointer && size()));
    if (!loupeOn || !pointer || !size()) return;
    const side = 220, strength = Math.max(3, 4 / (scale * ratio)) , t = loupe.getContext("2d");
    loupe.width = loupe.height = Math.round(side * ratio);
    loupe.style.transform = `translate(${Math.min(box.clientWidth - side - 8, Math.max(8, pointer.x - side / 2))}px, ${Math.min(box.clientHeight - side - 8, Math.max(8, pointer.y - side / 2))}px)`;
    t.fillStyle = css("--stage");
    t.fillRect(0, 0, loupe.width, loupe.height);
    const [w, h] = size(), big = scale * strength * ratio;
    compose(t, loupe.width / 2 - ((pointer.x - left) / scale) * big, loupe.height / 2 - ((pointer.y - top) / scale) * big, w * big, h * big);
  }
  self.loupe = on => { loupeOn = on; loupe.classList.toggle("on", on && !!pointer); self.draw(); };
  self.hold = on => { held = on; self.draw(); };
  self.setTool = tool => { self.tool = tool; self.draw(); };
  self.compare = on => {
    self.comparing = on;
    markComparing(); /* at once: what is not shown yet cannot get the focus */
    self.draw();
  };
  self.setSize = n => { self.size = Math.min(200, Math.max(4, Math.round(n))); moveBrush(); };

  /* ---- the pointer: one moves or paints, two zoom */
  const points = new Map();
  const at = e => { const r = box.getBoundingClientRect(); return { x: e.clientX - r.left, y: e.clientY - r.top }; };
  const inPhoto = p => [(p.x - left) / scale, (p.y - top) / scale];
  function moveBrush() {
    if (!pointer) return brush.classList.remove("on");
    brush.classList.add("on");
    brush.style.width = brush.style.height = self.size + "px";
    brush.style.transform = `translate(${pointer.x - self.size / 2}px, ${pointer.y - self.size / 2}px)`;
  }
  canvas.addEventListener("pointerdown", e => {
    if (!size() || e.button > 1) return;
    canvas.setPointerCapture(e.pointerId);
    points.set(e.pointerId, (pointer = at(e)));
    if (points.size === 2) { drawing = null; self.draw(); return; }
    if (self.tool !== "move" && !held && e.button === 0 && photo.cutout) {
      drawing = { erase: self.tool === "erase", size: self.size / scale, points: [inPhoto(pointer)] };
    } else box.classList.add("panning");
    box.focus({ preventScroll: true });
    self.draw();
  });
  canvas.addEventListener("pointermove", e => {
    const now = at(e), before = points.get(e.pointerId);
    pointer = now;
    moveBrush();
    if (before) {
      if (points.size === 2) {
        const other = [...points].find(([id]) => id !== e.pointerId)[1];
        const d = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
        self.move((now.x - before.x) / 2, (now.y - before.y) / 2);
        self.zoom(d(now, other) / Math.max(1, d(before, other)), (now.x + other.x) / 2, (now.y + other.y) / 2);
      } else if (drawing) {
        for (const one of e.getCoalescedEvents ? e.getCoalescedEvents() : [e]) drawing.points.push(inPhoto(at(one)));
        self.draw();
      } else if (box.classList.contains("panning")) self.move(now.x - before.x, now.y - before.y);
      points.set(e.pointerId, now);
    }
    if (loupeOn) self.draw();
  });
  const lift = e => {
    points.delete(e.pointerId);
    box.classList.remove("panning");
    if (drawing && e.type === "pointerup") {
      const stroke = drawing;
      drawing = null;
      self.onStroke(stroke);
    }
    drawing = null;
    self.draw();
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  box.addEventListener("pointerleave", () => { pointer = null; moveBrush(); loupe.classList.remove("on"); });
  canvas.addEventListener("dblclick", e => { if (self.tool === "move") { const p = at(e); if (fit) self.actual(p.x, p.y); else self.fit(); } });
  box.addEventListener("wheel", e => {
    e.preventDefault();
    const p = at(e);
    if (e.altKey) return self.setSize(self.size * (e.deltaY < 0 ? 1.1 : 0.9));
    self.zoom(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0016)), p.x, p.y);
  }, { passive: false });

  /* ---- the line of the comparison: pointer, keyboard */
  const setShare = v => {
    self.share = Math.min(1, Math.max(0, v));
    line.setAttribute("aria-valuenow", Math.round(self.share * 100));
    self.draw();
  };
  line.addEventListener("pointerdown", e => { line.setPointerCapture(e.pointerId); e.preventDefault(); line.focus({ preventScroll: true }); });
  line.addEventListener("pointermove", e => { if (line.hasPointerCapture(e.pointerId)) setShare((at(e).x - left) / (size()[0] * scale)); });
  line.addEventListener("keydown", e => {
    const by = { ArrowLeft: -0.02, ArrowDown: -0.02, ArrowRight: 0.02, ArrowUp: 0.02, PageDown: -0.1, PageUp: 0.1, Home: -1, End: 1 }[e.key];
    if (!by) return;
    e.preventDefault();
    e.stopPropagation();
    setShare(self.share + by);
  });
  new ResizeObserver(() => self.draw()).observe(box);
  return self;
})();
