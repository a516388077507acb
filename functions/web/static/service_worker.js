// The service worker of the report form. It keeps /report and the files that it names, so that the form opens without a link,
// and sends what waits when the link is back. It touches no other address. The server fills in the address of outbox.js.
importScripts("{{outbox.js}}");

const prefix = "report-";
const patience = 4000; // milliseconds that the kept page waits for a newer one
const assets = /(?:src|href)="(\/assets\/[0-9a-f]+\/[^"]+)"/g;

self.addEventListener("install", (e) => e.waitUntil(fetch("/report").then(keep).then(() => self.skipWaiting())));
self.addEventListener("activate", (e) => e.waitUntil(self.clients.claim()));

// Keeps a page with all of its files in a cache that is named after them, then deletes older caches. The page comes last, so a
// page that is kept is complete.
async function keep(page) {
  if (!page.ok) throw new Error("the page answered " + page.status);
  const html = await page.clone().text();
  const addresses = [...html.matchAll(assets)].map((found) => found[1]);
  const name = prefix + addresses.find((a) => a.endsWith("/new_report.js")).split("/")[2];
  const cache = await caches.open(name);
  await Promise.all(addresses.map(async (address) => (await cache.match(address)) || cache.add(address)));
  await cache.put("/report", page);
  for (const other of await caches.keys()) if (other.startsWith(prefix) && other !== name) await caches.delete(other);
}

self.addEventListener("fetch", (e) => {
  const url = new URL(e.request.url);
  if (e.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname === "/report" && e.request.mode === "navigate") e.respondWith(page(e));
  else if (url.pathname.startsWith("/assets/")) e.respondWith(caches.match(e.request, { ignoreVary: true }).then((kept) => kept || fetch(e.request)));
});

// The page of the server if it comes in time, else the kept one.
async function page(e) {
  const fresh = fetch(e.request);
  e.waitUntil(fresh.then((answer) => (answer.ok ? keep(answer.clone()) : null)).catch(() => {}));
  const kept = await caches.match("/report", { ignoreVary: true });
  if (!kept) return fresh;
  const soon = fresh.then((answer) => (answer.ok ? answer : kept.clone()), () => kept.clone());
  return Promise.race([soon, new Promise((resolve) => setTimeout(() => resolve(kept.clone()), patience))]);
}

self.addEventListener("sync", (e) => {
  if (e.tag === "reports") e.waitUntil(self.outbox.sendInBackground());
});
