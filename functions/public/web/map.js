// The public map: vector tiles of this API, clusters with their count, and a card for one report.
(() => {
  "use strict";
  const texts = JSON.parse(document.getElementById("texts").textContent);
  const colour = { pending: "#b8920a", verified: "#0b62a8", in_progress: "#7a3fb0", fixed: "#1a7a3c", duplicate: "#5a6b78" };
  const select = (id) => document.getElementById(id);
  const at = new URLSearchParams(location.search);
  for (const name of ["status", "issue_type"]) select(name).value = at.get(name) ?? "";

  const tiles = () => {
    const filter = new URLSearchParams();
    for (const name of ["status", "issue_type"]) if (select(name).value) filter.set(name, select(name).value);
    const query = filter.size ? "?" + filter : "";
    return [location.origin + "/api/v1/public/tiles/{z}/{x}/{y}.mvt" + query];
  };
  const map = new maplibregl.Map({
    container: "map", hash: true, center: [125.85, -8.8], zoom: 7.2, minZoom: 5, maxZoom: 18, attributionControl: false,
    maxBounds: [[121, -12.5], [130.5, -5]], dragRotate: false, pitchWithRotate: false,
    style: {
      version: 8,
      sources: { reports: { type: "vector", tiles: tiles(), maxzoom: 16 } },
      layers: [
        { id: "sea", type: "background", paint: { "background-color": "#cfe3ee" } },
        { id: "land", type: "fill", source: "reports", "source-layer": "boundaries", filter: ["==", ["get", "level"], "municipality"],
          paint: { "fill-color": "#f6f4ec" } },
        { id: "borders", type: "line", source: "reports", "source-layer": "boundaries",
          paint: { "line-color": "#a9b7b0", "line-width": ["match", ["get", "level"], "municipality", 1.2, 0.5] } },
        { id: "clusters", type: "circle", source: "reports", "source-layer": "reports", filter: ["has", "point_count"],
          paint: { "circle-color": "#b3261e", "circle-opacity": 0.85, "circle-stroke-color": "#fff", "circle-stroke-width": 2,
            "circle-radius": ["interpolate", ["linear"], ["log10", ["get", "point_count"]], 0, 11, 2, 17, 5, 28] } },
        { id: "counts", type: "symbol", source: "reports", "source-layer": "reports", filter: ["has", "point_count"],
          layout: { "icon-allow-overlap": true, "icon-image": ["concat", "count:", ["case",
            [">=", ["get", "point_count"], 1000], ["concat", ["to-string", ["floor", ["/", ["get", "point_count"], 1000]]], "k"],
            ["to-string", ["get", "point_count"]]]] } },
        { id: "points", type: "circle", source: "reports", "source-layer": "reports", filter: ["!", ["has", "point_count"]],
          paint: { "circle-radius": 9, "circle-stroke-color": "#fff", "circle-stroke-width": 2.5,
            "circle-color": ["match", ["get", "status"], ...Object.entries(colour).flat(), "#333"] } },
      ],
    },
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }));
  map.addControl(new maplibregl.GeolocateControl({ positionOptions: { enableHighAccuracy: true } }));

  // Draws the numbers on clusters as images, so that no font file has to be loaded.
  map.on("styleimagemissing", ({ id }) => {
    if (!id.startsWith("count:") || map.hasImage(id)) return;
    const canvas = document.createElement("canvas");
    canvas.width = 96; canvas.height = 40;
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff"; pen.font = "600 26px system-ui, sans-serif"; pen.textAlign = "center"; pen.textBaseline = "middle";
    pen.fillText(id.slice(6), 48, 21);
    map.addImage(id, pen.getImageData(0, 0, 96, 40), { pixelRatio: 2 });
  });

  for (const name of ["status", "issue_type"]) {
    select(name).addEventListener("change", () => {
      const query = new URLSearchParams(location.search);
      if (select(name).value) query.set(name, select(name).value); else query.delete(name);
      history.replaceState(null, "", location.pathname + (query.size ? "?" + query : "") + location.hash);
      close();
      load();
    });
  }

  // When a tile could not be loaded, tiles are loaded again when the connection is back, or when the reader presses the button.
  const trouble = select("trouble");
  const load = () => {
    trouble.hidden = true;
    seen.querySelector("b").textContent = "…";
    list.replaceChildren();
    map.getSource("reports").setTiles(tiles());
  };
  map.on("error", () => { trouble.hidden = false; });
  trouble.querySelector("button").onclick = load;
  addEventListener("online", () => { if (!trouble.hidden) load(); });

  // A link to another language keeps the place on the map and the filters.
  for (const link of document.querySelectorAll(".languages a")) {
    link.addEventListener("click", () => {
      const query = new URLSearchParams(location.search);
      query.set("lang", link.lang);
      link.href = "?" + query + location.hash;
    });
  }

  map.on("click", "clusters", (e) => map.easeTo({ center: e.lngLat, zoom: map.getZoom() + 2 }));
  map.on("click", "points", (e) => show(e.features[0].properties));
  for (const layer of ["clusters", "points"]) {
    map.on("mouseenter", layer, () => { map.getCanvas().style.cursor = "pointer"; });
    map.on("mouseleave", layer, () => { map.getCanvas().style.cursor = ""; });
  }

  const page = (report) => "/r/" + encodeURIComponent(report.report_number) + "?lang=" + document.documentElement.lang;
  const typeOf = (report) => texts.types[report.issue_type] ?? report.issue_type;
  const statusOf = (report) => texts.statuses[report.status] ?? report.status;

  const card = select("card");
  const close = () => { card.hidden = true; };
  const show = (report) => {
    card.replaceChildren();
    const add = (tag, text, className) => {
      const el = document.createElement(tag);
      el.textContent = text; el.className = className ?? "";
      card.append(el);
      return el;
    };
    const x = add("button", "×");
    x.setAttribute("aria-label", texts.close);
    x.onclick = close;
    add("h2", typeOf(report));
    add("span", statusOf(report), "badge " + report.status);
    add("p", report.report_number, "soft");
    const more = add("a", texts.open);
    more.href = page(report);
    card.hidden = false;
    more.focus();
  };
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Escape") return;
    close();
    seen.open = false;
  });

  // The reports and clusters on the map as a list, nearest to the middle first: for readers with a keyboard or a screen reader.
  const seen = select("seen"), list = seen.querySelector("ul"), longest = 50;
  let listed = "";
  const row = ({ report, at }) => {
    const li = document.createElement("li");
    if (report.point_count) {
      const closer = document.createElement("button");
      closer.textContent = texts.closer.replace("{n}", report.point_count.toLocaleString(document.documentElement.lang));
      closer.onclick = () => map.easeTo({ center: at, zoom: map.getZoom() + 2 });
      li.append(closer);
      return li;
    }
    const link = document.createElement("a"), badge = document.createElement("span");
    link.href = page(report);
    link.textContent = `${typeOf(report)}, ${report.report_number}`;
    badge.textContent = statusOf(report);
    badge.className = "badge " + report.status;
    li.append(link, " ", badge);
    return li;
  };
  const relist = () => {
    const found = new Map(), middle = map.getCenter();
    for (const { properties: report, geometry } of map.queryRenderedFeatures({ layers: ["clusters", "points"] })) {
      const at = new maplibregl.LngLat(...geometry.coordinates); // the same report may be in the margin of two tiles
      found.set(report.report_number ?? at.toString(), { report, at, distance: at.distanceTo(middle) });
    }
    const rows = [...found.values()].sort((a, b) => a.distance - b.distance);
    const now = rows.map(({ report, at }) => [at, report.point_count, report.report_number, report.status]).join(" ");
    if (now === listed && list.firstChild) return;
    listed = now;
    const total = rows.reduce((n, { report }) => n + (report.point_count ?? 1), 0);
    seen.querySelector("b").textContent = total.toLocaleString(document.documentElement.lang);
    const focused = list.contains(document.activeElement);
    list.replaceChildren(...rows.slice(0, longest).map(row));
    const rest = rows.length ? texts.more : texts.none;
    if (!rows.length || rows.length > longest) list.append(Object.assign(document.createElement("li"), { textContent: rest, className: "soft" }));
    if (focused) (list.querySelector("a, button") ?? seen.querySelector("summary")).focus();
  };
  map.on("idle", () => {
    relist();
    document.body.dataset.ready = "true";
  });
})();
