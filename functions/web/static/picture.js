// Pictures on the phone: what their EXIF says, and a copy that is small enough for a slow link. The copy has no EXIF.

const longSides = [1600, 1280, 1024, 800]; // pixels
const qualities = [0.8, 0.7, 0.6, 0.5];
const enough = 120000; // bytes of the copy: with the page that is less than 200 KB
const headBytes = 262144; // EXIF is at the beginning of a file

/** A picture that cannot be read. reason is the key of a text: heic, no_picture or too_large_here. */
export class PictureError extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * Reads a picture's file. Returns {blob, width, height, exif}: a JPEG with a long side of at most 1600 pixels that stands
 * upright, and what readExif found. Throws a PictureError.
 */
export async function scale(file) {
  const head = new DataView(await bytesOf(file.slice(0, headBytes)));
  const exif = readExif(head);
  const address = URL.createObjectURL(file);
  try {
    const image = await load(address).catch(() => { throw new PictureError(isHeic(head) ? "heic" : "no_picture"); });
    const turn = exif.orientation > 1 && !(await turnsByItself()) ? exif.orientation : 1;
    return { ...await compress(image, turn), exif };
  } finally {
    URL.revokeObjectURL(address);
  }
}

// Blob.arrayBuffer is there from Chrome 76 and Safari 14 on; a file that has gone meanwhile (a card taken out) fails here.
const bytesOf = (blob) => blob.arrayBuffer().catch(() => { throw new PictureError("no_picture"); });

function load(address) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => (image.naturalWidth ? resolve(image) : reject(new Error("empty")));
    image.onerror = reject;
    image.src = address;
  });
}

// Tries smaller sizes and lower qualities until the file is small enough. The last try counts in any case.
async function compress(image, turn) {
  let best = null;
  for (const side of longSides) {
    const canvas = draw(image, turn, Math.min(1, side / Math.max(image.naturalWidth, image.naturalHeight)));
    for (const quality of qualities) {
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
      if (!blob) throw new PictureError("too_large_here"); // too little memory
      best = { blob, width: canvas.width, height: canvas.height };
      if (blob.size <= enough) return best;
    }
  }
  return best;
}

// turns are the transformations of a canvas that undo each EXIF orientation, for a picture of w by h pixels.
const turns = {
  2: (w) => [-1, 0, 0, 1, w, 0], 3: (w, h) => [-1, 0, 0, -1, w, h], 4: (w, h) => [1, 0, 0, -1, 0, h], 5: () => [0, 1, 1, 0, 0, 0],
  6: (w, h) => [0, 1, -1, 0, h, 0], 7: (w, h) => [0, -1, -1, 0, h, w], 8: (w) => [0, -1, 1, 0, 0, w],
};

function draw(image, turn, factor) {
  const w = Math.max(1, Math.round(image.naturalWidth * factor)), height = Math.max(1, Math.round(image.naturalHeight * factor));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = turn > 4 ? [height, w] : [w, height];
  const context = canvas.getContext("2d");
  if (!context) throw new PictureError("too_large_here");
  context.fillStyle = "#fff"; // a PNG may be transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  if (turn > 1) context.transform(...turns[turn](w, height));
  context.drawImage(image, 0, 0, w, height);
  return canvas;
}

// A picture of 16 by 8 pixels, left half black and right half white, with orientation 6: it stands upright as 8 by 16, black
// above white.
const probe = "data:image/jpeg;base64,/9j/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wCEABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6QBHB4eKCMoTisrTqRuXW6kpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpP/AAAsIAAgAEAEBEQD/xADSAAABBQEBAQEBAQAAAAAAAAAAAQIDBAUGBwgJCgsQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAAgBAQAAPwDma9Mr/9k=";
let turning = null;

/** Reports whether this browser turns a picture by its EXIF when it draws it. Chrome does from 81 on, Safari from 13.1 on. */
export function turnsByItself() {
  if (!turning) turning = load(probe).then((image) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 16;
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const [red, , , alpha] = context.getImageData(3, 13, 1, 1).data; // below the picture unless it was turned
    return alpha > 128 && red > 128;
  }, () => false);
  return turning;
}

const isHeic = (view) => view.byteLength > 12 && text(view, 4, 4) === "ftyp" && /^(hei|hev|mif|msf|avi)/.test(text(view, 8, 4));
const text = (view, at, length) => {
  let out = "";
  for (let i = 0; i < length && at + i < view.byteLength; i++) out += String.fromCharCode(view.getUint8(at + i));
  return out;
};

/**
 * Reads the EXIF of a JPEG. Returns {orientation: 1 to 8, takenAt, latitude, longitude}; what is not there or cannot be read is
 * absent. takenAt is RFC 3339 where the camera knows its zone, else as EXIF writes it.
 */
function readExif(view) {
  const out = { orientation: 1 };
  try {
    const tiff = findTiff(view);
    if (tiff) readTiff(tiff, out);
  } catch (e) { // damaged: an offset that leads out of the file
    if (!(e instanceof RangeError)) throw e;
  }
  return out;
}

// Returns the TIFF part of the first APP1 segment with EXIF.
function findTiff(view) {
  if (view.getUint16(0) !== 0xffd8) return null;
  for (let at = 2; at + 4 < view.byteLength;) {
    const marker = view.getUint16(at), size = view.getUint16(at + 2);
    if (marker === 0xffe1 && text(view, at + 4, 4) === "Exif") {
      return new DataView(view.buffer, at + 10, Math.min(size - 8, view.byteLength - at - 10));
    }
    if (marker < 0xff01 || marker === 0xffda || size < 2) return null;
    at += 2 + size;
  }
  return null;
}

function readTiff(tiff, out) {
  const little = tiff.getUint16(0) === 0x4949;
  // Each entry of a directory: tag, type, count, and the value or where it is.
  const directory = (at) => {
    const found = {};
    if (!at) return found;
    const n = Math.min(tiff.getUint16(at, little), 200);
    for (let i = 0; i < n && at + 14 + 12 * i <= tiff.byteLength; i++) found[tiff.getUint16(at + 2 + 12 * i, little)] = at + 2 + 12 * i;
    return found;
  };
  const short = (e) => tiff.getUint16(e + 8, little);
  const long = (e) => tiff.getUint32(e + 8, little);
  const ascii = (e) => text(tiff, tiff.getUint32(e + 4, little) > 4 ? long(e) : e + 8, tiff.getUint32(e + 4, little)).replace(/\0.*/, "").trim();
  const fraction = (at) => tiff.getUint32(at, little) / tiff.getUint32(at + 4, little);

  const main = directory(tiff.getUint32(4, little));
  const orientation = main[0x112] ? short(main[0x112]) : 1;
  if (orientation >= 1 && orientation <= 8) out.orientation = orientation;
  // What is odd in one directory must not cost the other.
  for (const read of [readTime, readPlace]) {
    try { read(); } catch (e) { if (!(e instanceof RangeError)) throw e; }
  }

  function readTime() {
    const camera = directory(main[0x8769] && long(main[0x8769]));
    const time = camera[0x9003] ? /^(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)/.exec(ascii(camera[0x9003])) : null;
    if (!time || time[1] < "1990") return;
    const zone = camera[0x9011] ? /^[+-]\d\d:\d\d$/.exec(ascii(camera[0x9011])) : null;
    out.takenAt = zone ? `${time[1]}-${time[2]}-${time[3]}T${time[4]}${zone[0]}` : time[0];
  }

  function readPlace() {
    const gps = directory(main[0x8825] && long(main[0x8825]));
    if (![1, 2, 3, 4].every((tag) => gps[tag])) return;
    // Degrees, minutes and seconds; some cameras write 0/0 for what they leave out.
    const degrees = (e) => [0, 1, 2].reduce((sum, i) => sum + (fraction(long(e) + 8 * i) || 0) / 60 ** i, 0);
    const latitude = degrees(gps[2]) * (/^s/i.test(ascii(gps[1])) ? -1 : 1), longitude = degrees(gps[4]) * (/^w/i.test(ascii(gps[3])) ? -1 : 1);
    if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180 || latitude === 0 && longitude === 0) return;
    out.latitude = latitude;
    out.longitude = longitude;
  }
}
