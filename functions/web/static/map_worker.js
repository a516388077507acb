// Runs the part of MapLibre that reads tiles beside the page. The addresses of its two files follow "#": the page has loaded
// the larger one already, so it comes from the browser's cache. MapLibre's own way, a script made of text, is against our policy.
"use strict";
const modules = {}, shared = {};
self.define = (name, needs, factory) => { modules[name] = factory; };
const addresses = self.location.hash.slice(1).split(",");
if (!addresses.every((a) => /^\/assets\/[0-9a-f]+\/[a-z-]+\.js$/.test(a))) throw new Error("not an asset");
importScripts(...addresses);
modules.shared(shared);
modules.worker(shared);
