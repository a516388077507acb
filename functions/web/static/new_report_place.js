// The step of the form that finds the place: by GPS, by what the picture says, by a tap, or by coordinates.
import { $, h, fill, t, data, busy } from "./core.js";

const shown = (latitude, longitude) => `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`;

/** Reports whether reports may be about a place. */
function inArea(latitude, longitude) {
  const [west, south, east, north] = data.area;
  return longitude >= west && longitude <= east && latitude >= south && latitude <= north;
}

/** A place in words, with how exact it is and where it is from. */
export function placeWords({ latitude, longitude, location_accuracy: accuracy, place_from: from }) {
  const exact = accuracy ? t("new_report.accuracy", { metres: accuracy < 1000 ? Math.round(accuracy) + " m" : Math.round(accuracy / 1000) + " km" }) : "";
  return [shown(latitude, longitude), exact, from ? t("new_report.from_" + from) : ""].filter(Boolean).join(" · ");
}

/** Reads "-8.5569, 125.5603", also with decimal commas or with S and E. Returns [latitude, longitude] or null. */
function parseCoordinates(text) {
  const numbers = (text.replace(/[−–]/g, "-").match(/-?\d+(?:[.,]\d+)?/g) || []).map((n) => Number(n.replace(",", ".")));
  if (numbers.length !== 2) return null;
  return [/s/i.test(text) ? -Math.abs(numbers[0]) : numbers[0], numbers[1]];
}

/**
 * Wires the step. chosen({latitude, longitude, location_accuracy, place_from}) is called for each place that is chosen. Returns
 * {show(place), offer(picture), enter(), complain(text)}.
 */
export function placeStep(chosen) {
  const status = $("#place-status"), error = $("#place-error"), offer = $("[data-testid=photo-place]"), about = $("#photo-place-about");
  let picture = null;
  const take = (latitude, longitude, location_accuracy, place_from) => {
    error.textContent = "";
    if (!inArea(latitude, longitude)) {
      status.textContent = "";
      error.textContent = t("new_report.outside");
      return false;
    }
    const place = { latitude: Number(latitude.toFixed(6)), longitude: Number(longitude.toFixed(6)), location_accuracy, place_from };
    status.textContent = placeWords(place) + (location_accuracy > 500 ? " " + t("new_report.coarse") : "");
    chosen(place);
    return true;
  };
  // The sketch comes with the step: it needs a link anyway, and the first view is smaller.
  let sketch = null, pin = null;
  const enter = async () => {
    try {
      const { placeSketch } = await import("./new_report_sketch.js");
      if (!sketch) {
        sketch = placeSketch((latitude, longitude, accuracy) => take(latitude, longitude, accuracy, "map"));
        fill($("#sketch"), sketch.element);
        if (pin) sketch.show(...pin);
      }
      sketch.load();
    } catch {
      fill($("#sketch"), h("p", { class: "soft" }, t("new_report.sketch_missing")));
    }
  };
  const show = (...at) => {
    pin = at;
    if (sketch) sketch.show(...at);
  };

  const locate = $("[data-testid=locate]");
  locate.addEventListener("click", () => busy(locate, async () => {
    error.textContent = "";
    status.textContent = t("new_report.locating");
    try {
      const { coords } = await position();
      if (take(coords.latitude, coords.longitude, Math.round(coords.accuracy), "gps")) show(coords.latitude, coords.longitude);
    } catch (e) {
      status.textContent = "";
      error.textContent = t(e.code === 1 ? "new_report.gps_denied" : "new_report.gps_failed");
    }
  }));
  offer.addEventListener("click", () => {
    if (picture && take(picture.latitude, picture.longitude, null, "photo")) show(picture.latitude, picture.longitude);
  });
  const typed = $("#coordinates");
  const use = () => {
    const read = parseCoordinates(typed.value);
    typed.setAttribute("aria-invalid", String(!read));
    if (!read) error.textContent = t("new_report.coordinates_bad");
    else if (take(...read, null, "typed")) show(...read);
  };
  $("#coordinates-use").addEventListener("click", use);
  typed.addEventListener("keydown", (e) => { if (e.key === "Enter") use(); });

  return {
    /** Shows the place of a draft, or that there is none. */
    show(place) {
      error.textContent = "";
      status.textContent = place ? placeWords(place) : "";
      if (place) return show(place.latitude, place.longitude);
      sketch = pin = null; // the next visit of the step begins with the country
      return fill($("#sketch"));
    },
    /** Offers the place that a picture names, or none. One outside the area is only told. */
    offer(of) {
      const known = of && of.latitude !== undefined, useful = known && inArea(of.latitude, of.longitude);
      picture = useful ? of : null;
      offer.hidden = !useful;
      about.hidden = !known;
      if (known) about.textContent = t(useful ? "new_report.photo_place_about" : "new_report.photo_place_elsewhere", { place: shown(of.latitude, of.longitude) });
    },
    enter,
    complain: (text) => { error.textContent = text; },
  };
}

function position() {
  return new Promise((resolve, reject) => {
    if (!navigator.geolocation) reject(new Error("no GPS"));
    else navigator.geolocation.getCurrentPosition(resolve, reject, { enableHighAccuracy: true, timeout: 30000, maximumAge: 10000 });
  });
}
