/* Strokes of the brush: { erase, size, points } in the photo's pixels. They are hints that the server gets before the
 * edge is refined: white keeps, black drops, grey says nothing. */
const strokes = (() => {
  const longest = 2048; /* of the hints' picture: a rough stroke needs no more */
  function path(context, stroke, scale) {
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = Math.max(1, stroke.size * scale);
    context.beginPath();
    const [first, ...rest] = stroke.points;
    context.moveTo(first[0] * scale, first[1] * scale);
    for (const [x, y] of rest) context.lineTo(x * scale, y * scale);
    if (!rest.length) context.lineTo(first[0] * scale + 0.01, first[1] * scale);
    context.stroke();
  }
  return {
    path,
    hints(list, width, height) {
      if (!list.length) return Promise.resolve(null);
      const scale = Math.min(1, longest / Math.max(width, height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(width * scale));
      canvas.height = Math.max(1, Math.round(height * scale));
      const context = canvas.getContext("2d");
      context.fillStyle = "#808080";
      context.fillRect(0, 0, canvas.width, canvas.height);
      for (const stroke of list) {
        context.strokeStyle = stroke.erase ? "#000" : "#fff";
        path(context, stroke, scale);
      }
      /* no grey between: an edge of a stroke is no half hint */
      const image = context.getImageData(0, 0, canvas.width, canvas.height), d = image.data;
      for (let i = 0; i < d.length; i += 4) d[i] = d[i + 1] = d[i + 2] = d[i] > 192 ? 255 : d[i] < 64 ? 0 : 128;
      context.putImageData(image, 0, 0);
      return new Promise(go => canvas.toBlob(go, "image/png"));
    },
  };
})();
