// Loads libraries of the map when they are needed. Pages that use it have the policy "map" for trusted types.
import { files, h, ApiError } from "./core.js";

const allowed = (address) => {
  const path = address.split("#")[0];
  if (!Object.values(files).includes(path) && path !== workerAddress) throw new TypeError("not a file of the pages: " + path);
  return address;
};
const workerAddress = new URL("./map_worker.js", import.meta.url).pathname;
const policy = window.trustedTypes ? window.trustedTypes.createPolicy("map", { createScriptURL: allowed }) : { createScriptURL: allowed };

// Loads a script or a style; a lost connection is an ApiError with status 0.
const load = (el) => new Promise((resolve, reject) => {
  el.onload = resolve;
  el.onerror = () => {
    el.remove();
    reject(new ApiError(0, {}, null));
  };
  document.head.append(el);
});
const script = (name) => {
  const el = h("script");
  el.src = policy.createScriptURL(files[name]);
  return load(el);
};

/** Reports whether this browser can draw a map. It loads nothing. */
export function canDraw() {
  try {
    const canvas = document.createElement("canvas");
    return Boolean(canvas.getContext("webgl2") || canvas.getContext("webgl"));
  } catch {
    return false;
  }
}

const once = {}; // the promise of the library

/** Returns MapLibre, loaded once. It is null in a browser that is too old for it. */
export function mapLibre() {
  once.library = once.library || start().catch((e) => {
    once.library = null; // the next call tries again
    throw e;
  });
  return once.library;
}

async function start() {
  const modules = {}, shared = {}, library = {};
  window.define = (name, needs, factory) => { modules[name] = factory; };
  const style = h("link", { rel: "stylesheet", href: new URL("./map_view.css", import.meta.url).href });
  await Promise.all([load(style), script("maplibre-shared.js"), script("maplibre-index.js")]);
  delete window.define;
  if (!modules.shared || !modules.index) return null; // the files could not be understood
  modules.shared(shared);
  modules.index(library, shared);
  library.setWorkerUrl(policy.createScriptURL(workerAddress + "#" + files["maplibre-shared.js"] + "," + files["maplibre-worker.js"]));
  return library;
}

/** Returns the library that reads PMTiles, loaded once. */
export async function pmTiles() {
  if (!window.pmtiles) await script("pmtiles.js");
  return window.pmtiles;
}
