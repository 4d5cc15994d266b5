/* A ZIP archive of files that are compressed already: stored, UTF-8 names, no folders. Below 4 GB. */
const makeZip = (() => {
  const table = new Uint32Array(256).map((_, n) => {
    for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n;
  });
  const crc32 = bytes => {
    let c = ~0;
    for (const b of bytes) c = table[(c ^ b) & 255] ^ (c >>> 8);
    return ~c >>> 0;
  };
  const record = (...fields) => {
    const view = new DataView(new ArrayBuffer(fields.reduce((n, [size]) => n + size, 0)));
    let at = 0;
    for (const [size, value] of fields) {
      if (size === 4) view.setUint32(at, value, true); else view.setUint16(at, value, true);
      at += size;
    }
    return view.buffer;
  };
  return async files => { /* [{ name, blob }] */
    const parts = [], directory = [], d = new Date();
    const time = (d.getHours() << 11) | (d.getMinutes() << 5) | (d.getSeconds() >> 1);
    const day = ((d.getFullYear() - 1980) << 9) | ((d.getMonth() + 1) << 5) | d.getDate();
    let at = 0;
    for (const { name, blob } of files) {
      const bytes = new Uint8Array(await blob.arrayBuffer()), title = new TextEncoder().encode(name);
      const common = [[2, 20], [2, 0x800], [2, 0], [2, time], [2, day], [4, crc32(bytes)], [4, bytes.length], [4, bytes.length], [2, title.length], [2, 0]];
      parts.push(record([4, 0x04034b50], ...common), title, bytes);
      directory.push(record([4, 0x02014b50], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]), title);
      at += 30 + title.length + bytes.length;
    }
    const size = directory.reduce((n, part) => n + part.byteLength, 0);
    return new Blob([...parts, ...directory, record([4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, size], [4, at], [2, 0])], { type: "application/zip" });
  };
})();
