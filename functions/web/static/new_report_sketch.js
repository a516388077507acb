// A sketch of a place to point at: a drawing of the server, a pin, and buttons for whoever does not tap.
import { h, t, language } from "./core.js";

const height = 260;
const country = { latitude: -8.85, longitude: 125.75, zoom: 7 };
const closest = 17;
const near = 14; // from this zoom on a tap is exact enough to stay

/** Metres for a pixel of a drawing. */
const metres = (zoom, latitude) => 40075017 / (256 * 2 ** zoom) * Math.cos(latitude * Math.PI / 180);

const worldX = (longitude, zoom) => (longitude + 180) / 360 * 256 * 2 ** zoom;
const worldY = (latitude, zoom) => (1 - Math.asinh(Math.tan(latitude * Math.PI / 180)) / Math.PI) / 2 * 256 * 2 ** zoom;
const longitudeAt = (x, zoom) => x / (256 * 2 ** zoom) * 360 - 180;
const latitudeAt = (y, zoom) => Math.atan(Math.sinh(Math.PI * (1 - 2 * y / (256 * 2 ** zoom)))) * 180 / Math.PI;

/**
 * Makes a sketch. chosen(latitude, longitude, accuracy in metres) is called when the person points at a place. Returns
 * {element, show(latitude, longitude), load()}; show puts the pin there, load draws it when it is first seen.
 */
export function placeSketch(chosen) {
  let at = { ...country }, pin = null, width = 0;
  const image = h("img", { alt: t("new_report.sketch_alt"), height: String(height), draggable: "false" });
  const mark = h("svg", { class: "pin", viewBox: "0 0 24 24", "aria-hidden": "true" }, h("path", { d: "M12 23s8-8 8-14a8 8 0 10-16 0c0 6 8 14 8 14z" }));
  const trouble = h("p", { class: "soft", hidden: true }, t("new_report.sketch_missing"));
  const frame = h("div", { class: "sketch" }, image, mark);

  const draw = () => {
    if (!width) return;
    image.src = `/api/v1/public/sketch.svg?latitude=${at.latitude.toFixed(5)}&longitude=${at.longitude.toFixed(5)}&zoom=${at.zoom}&width=${width}&height=${height}&lang=${language}`;
    placePin();
  };
  const placePin = () => {
    mark.style.display = pin ? "" : "none";
    if (!pin) return;
    mark.style.left = width / 2 + worldX(pin.longitude, at.zoom) - worldX(at.longitude, at.zoom) + "px";
    mark.style.top = height / 2 + worldY(pin.latitude, at.zoom) - worldY(at.latitude, at.zoom) + "px";
  };
  image.addEventListener("error", () => { frame.hidden = true; trouble.hidden = false; });

  // Puts the pin at a pixel of the frame. closer is how many zoom levels the drawing comes closer then.
  const point = (x, y, closer = 0) => {
    const { zoom } = at;
    pin = { longitude: longitudeAt(worldX(at.longitude, zoom) + x - width / 2, zoom), latitude: latitudeAt(worldY(at.latitude, zoom) + y - height / 2, zoom) };
    chosen(pin.latitude, pin.longitude, Math.ceil(metres(zoom, pin.latitude) * 12));
    const inside = x > 40 && x < width - 40 && y > 40 && y < height - 40;
    if (closer || !inside) {
      at = { ...pin, zoom: zoom + closer };
      draw();
    } else placePin();
  };
  // Far out a tap is coarse: the drawing comes closer, so that the next one is more exact.
  image.addEventListener("click", (e) => {
    const box = image.getBoundingClientRect();
    point(e.clientX - box.left, e.clientY - box.top, at.zoom < near ? 3 : 0);
  });
  const step = (dx, dy) => point((pin ? parseFloat(mark.style.left) : width / 2) + dx, (pin ? parseFloat(mark.style.top) : height / 2) + dy);
  const zoomBy = (by) => {
    const zoom = Math.min(closest, Math.max(country.zoom, at.zoom + by));
    if (zoom === at.zoom) return;
    at = { ...(pin || at), zoom };
    draw();
  };
  const control = (label, key, act) => h("button", { type: "button", "aria-label": t("new_report." + key), title: t("new_report." + key), onclick: act }, label);
  const controls = h("div", { class: "sketch-controls" },
    control("+", "zoom_in", () => zoomBy(2)), control("−", "zoom_out", () => zoomBy(-2)),
    control("↑", "north", () => step(0, -24)), control("↓", "south", () => step(0, 24)), control("←", "west", () => step(-24, 0)), control("→", "east", () => step(24, 0)));

  return {
    element: h("div", { role: "group", "aria-label": t("new_report.sketch") }, h("p", { class: "soft" }, t("new_report.sketch_hint")), frame, trouble, controls),
    show(latitude, longitude) {
      pin = { latitude, longitude };
      at = { ...pin, zoom: Math.max(at.zoom, near + 2) };
      draw();
    },
    load() {
      const missing = frame.hidden;
      frame.hidden = false;
      trouble.hidden = true;
      const now = Math.min(1000, Math.max(100, Math.round(frame.clientWidth)));
      if (now === width && !missing) return;
      width = now;
      draw();
    },
  };
}
