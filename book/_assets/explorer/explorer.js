/* Wires the explorer's controls to its charts, tables and address. All numbers were computed by
   the book's Python functions when the page was built; only differences are taken here. */
"use strict";
(() => {
  const app = document.getElementById("explorer-app");
  if (!app) return;
  const data = JSON.parse(document.getElementById("explorer-data").textContent);
  const { ink, muted, grey, accent, second, paper, sequence } = data.colours;
  const fields = app.elements;
  const at = (name) => app.querySelector(`[data-view="${name}"]`);
  const place = new Map(data.tiles.map((tile) => [tile.province_code, tile.name_en]));
  const formats = [0, 1, 2].map((digits) =>
    new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }));
  const word = (value, digits = 0, unit = "") =>
    value === null || value === undefined ? "no data" : formats[digits].format(value) + unit;
  const still = { fontSize: "12px", fontFamily: "inherit", background: paper, color: ink };

  // ---- state: the controls hold it, the address repeats it

  const names = ["year", "region", "base", "shade", "province", "event"];
  const state = () => Object.fromEntries(names.map((name) => [name, fields[name].value]));

  function set(name, value) {
    const control = fields[name];
    const options = control.options ?? control;
    if (![...options].some((option) => option.value === value)) return false;
    control.value = value;
    return true;
  }

  // The long tables below are sorted and filtered by tables.js; their state is in the address too.
  const lists = [...document.querySelectorAll("section[id] > .cell table.sortable")].map((table) => ({
    name: table.closest("section").id,
    field: table.closest("section").querySelector(".table-filter input"),
    heads: [...table.tHead.rows[0].cells],
  }));

  function remember() {
    const all = Object.entries(state());
    for (const { name, field, heads } of lists) {
      all.push([`find-${name}`, field.value]);
      const column = heads.findIndex((head) => head.hasAttribute("aria-sort"));
      if (column >= 0) all.push([`sort-${name}`, `${column}-${heads[column].getAttribute("aria-sort")}`]);
    }
    history.replaceState(null, "", "#" + new URLSearchParams(all.filter(([, value]) => value)));
  }

  function recall() {
    if (!location.hash.includes("=")) return;
    const asked = new URLSearchParams(location.hash.slice(1));
    const unknown = names.filter((name) => asked.has(name) && !set(name, asked.get(name)));
    for (const { name, field, heads } of lists) {
      field.value = asked.get(`find-${name}`) ?? "";
      field.dispatchEvent(new Event("input"));
      const [column, way] = (asked.get(`sort-${name}`) ?? "").split("-");
      const button = heads[column]?.querySelector("button");
      for (let i = 0; button && i < 2 && heads[column].getAttribute("aria-sort") !== way; i++) button.click();
    }
    at("address").textContent = unknown.length
      ? `The address asks for a value of ${unknown.join(", ")} that is not here; the view shows another.`
      : "";
  }

  // ---- what all views share

  function table(name, caption, head, rows) {
    const cells = (row, tag) => row.map((text, i) => {
      const cell = document.createElement(i || tag === "th" ? tag : "th");
      if (cell.tagName === "TH") cell.scope = tag === "th" ? "col" : "row";
      cell.textContent = text;
      return cell;
    });
    const made = document.createElement("table");
    made.className = "reading";
    made.createCaption().textContent = caption;
    made.createTHead().insertRow().append(...cells(head, "th"));
    const body = made.createTBody();
    for (const row of rows) body.insertRow().append(...cells(row, "td"));
    at(`${name}-table`).replaceChildren(made);
  }

  // The widths of the charts are read together, before the first is drawn: each reading after a
  // drawing would make the browser lay the page out once more.
  const widths = {};
  function measure() {
    for (const name of ["tiles", "points", "borders", "events", "cases"]) widths[name] = at(name).clientWidth;
  }

  function draw(name, label, options, chosen) {
    const box = at(name);
    const chart = Plot.plot({ width: Math.min(Math.max(widths[name], 280), 640), style: still, ...options });
    chart.setAttribute("aria-hidden", "true"); // its table says all; the box has the name
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", label);
    if (chosen) chart.addEventListener("click", () => chart.value && chosen(chart.value));
    box.replaceChildren(chart);
  }

  function choose(name, value) {
    set(name, fields[name].value === value ? "" : value);
    update();
  }

  // ---- the views

  /* What draws a state, in short parts: at the start the page answers between them. */
  function parts(s) {
    const about = data.years.find((one) => String(one.year) === s.year);
    const region = data.regions.find((one) => one.name === s.region);
    const base = data.bases[s.base];
    const found = region.results[s.year];
    const values = data.values[s.year];
    const shown = { villages: values.villages, rate: values.rate[s.base], quotient: values.quotient[s.base] }[s.shade];
    const breaks = data.breaks[s.shade === "rate" ? s.base : s.shade];
    const digits = s.shade === "villages" ? 0 : 1;
    const unit = { villages: "Villages", rate: `Villages per ${base.unit}`, quotient: `Location quotient over ${base.label}` }[s.shade];
    const list = about.complete ? `the list of ${s.year}` : `${s.year}, where known`;
    const marks = (value) => value === 0 ? paper : sequence[breaks.filter((end) => value > end).length];

    const tiles = data.tiles.map((tile, i) => ({ ...tile, value: shown[i], inside: region.inside?.includes(tile.province_code) }));
    const known = tiles.filter((tile) => tile.value !== null);
    const square = { x1: (d) => d.col - 0.46, x2: (d) => d.col + 0.46, y1: (d) => d.row - 0.46, y2: (d) => d.row + 0.46 };
    const small = (d) => d.value > 0 && d.value < 0.05;
    // A tip hangs from the edge of its tile and points inward, so that it hides neither tile nor words.
    const besides = (all, title) => ["top", "bottom"].flatMap((side) => ["-left", "", "-right"].map((end) => Plot.tip(
      all.filter((d) => (d.row < 4 ? "top" : "bottom") === side && (d.col < 3 ? "-left" : d.col > 5 ? "-right" : "") === end),
      Plot.pointer({ px: "col", py: "row", x: "col", y: (d) => d.row + (side === "top" ? 0.46 : -0.46), anchor: side + end, title }))));
    const drawTiles = () => draw("tiles", `Tile map of the provinces: ${unit.toLowerCase()}, ${list}. The same numbers stand in the table below.`, {
      aspectRatio: 1, margin: 2, x: { axis: null }, y: { axis: null, reverse: true },
      marks: [
        () => Plot.create("svg:defs").html('<pattern id="explorer-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#fff"/><path d="M0 0V6" stroke="#8c8c8c" stroke-width="2"/></pattern>').node(),
        Plot.rect(tiles, { ...square, fill: (d) => d.value === null ? "url(#explorer-hatch)" : marks(d.value), stroke: grey, strokeWidth: 0.7 }),
        Plot.rect(tiles.filter((d) => d.inside), { ...square, fill: "none", stroke: second, strokeWidth: 3 }),
        Plot.rect(tiles.filter((d) => d.province_code === s.province), { ...square, fill: "none", stroke: ink, strokeWidth: 5, strokeDasharray: "5 3" }),
        Plot.text(known, { x: "col", y: "row", text: "abbr", dy: -7, fill: (d) => d.value > breaks[2] ? paper : ink }),
        Plot.text(tiles.filter((d) => d.value === null), { x: "col", y: "row", text: "abbr", stroke: paper, strokeWidth: 5, fill: ink }),
        Plot.text(known, { x: "col", y: "row", text: (d) => small(d) ? "<0.1" : word(d.value, d.value === 0 ? 0 : digits), dy: 7, fill: (d) => d.value > breaks[2] ? paper : ink }),
        ...besides(tiles, (d) => `${d.name_en}: ${word(d.value, digits)}`),
      ],
    }, (tile) => choose("province", tile.province_code));
    const tellTiles = () => {
      at("tiles-title").textContent = `${unit}, ${list}`;
      at("legend").replaceChildren(...["0", ...breaks.map((end, i) => i ? `over ${breaks[i - 1]} to ${end}` : `to ${end}`), `over ${breaks.at(-1)}`, "no data"].map((text, i, all) => {
        const item = document.createElement("li");
        const swatch = document.createElement("span");
        if (i === all.length - 1) swatch.className = "hatch";
        else swatch.style.background = i ? sequence[i - 1] : paper;
        item.append(swatch, text);
        return item;
      }));
      table("tiles", `Provinces, ${list}. Base: ${base.label}.`,
        ["Province", "Inside the border", "Villages", `Per ${base.unit}`, "Location quotient"],
        tiles.map((tile, i) => [tile.name_en, region.inside ? (tile.inside ? "yes" : "no") : "in part or by prefecture",
          word(values.villages[i]), word(values.rate[s.base][i], 2), word(values.quotient[s.base][i], 2)]));
    };

    const column = data.years.indexOf(about);
    const within = (d) => region.inside ? region.inside.includes(d.province) : d.south;
    const points = about.complete ? data.prefectures.map((one) => ({ ...one, n: one.villages[column] })) : [];
    const dots = points.filter((d) => d.n > 0 && (!s.province || d.province === s.province));
    const drawPoints = () => draw("points", about.complete ? `Map of eastern China with a point for each of ${dots.length} prefectures with villages, ${list}.` : `No data by prefecture for ${s.year}.`, {
      projection: { type: "reflect-y", domain: data.frame }, aspectRatio: 1, r: { domain: [0, 110], range: [0, 16] },
      height: widths.points, symbol: { legend: false },
      marks: [
        Plot.geo(data.outlines, { fill: "#f4f4f4", stroke: "#c9c9c9", strokeWidth: 0.7, clip: "frame" }),
        Plot.dot(dots, { x: "x", y: "y", r: "n", fill: (d) => within(d) ? accent : paper, stroke: (d) => within(d) ? accent : ink, fillOpacity: 0.65, tip: true, title: (d) => `${d.name}, ${d.where}: ${word(d.n)}`, clip: "frame" }),
        about.complete ? null : Plot.text(["no data by prefecture after 2016"], { frameAnchor: "middle", fontSize: 15 }),
      ],
    });
    const tellPoints = () => {
      at("points-title").textContent = about.complete ? `Prefectures with villages, ${list}` : `Prefectures, ${s.year}: no data`;
      table("points", `Prefectures on a list, ${s.year}${s.province ? `, ${place.get(s.province)}` : ""}`, ["Prefecture", "Province", "Inside the border", "Villages"],
        data.prefectures.filter((d) => !s.province || d.province === s.province).map((d) => [d.name, d.where, within(d) ? "yes" : "no", word(about.complete ? d.villages[column] : null)]));
    };

    const rows = data.regions.map((one) => {
      const r = one.results[s.year];
      return { ...one, ...r, of: r.of_base[s.base], lq: r.quotient[s.base], verdict: r.verdicts[one.claim]?.[s.base] ?? "no data" };
    });
    const mine = (d) => d.name === s.region;
    const tone = (d) => mine(d) ? accent : muted;
    const y = (d) => d.label;
    const drawBorders = () => draw("borders", `Shares of the villages under each border, ${s.year}, against shares of ${base.label}. The same numbers stand in the table below.`, {
      height: 46 * rows.length + 50, marginLeft: 8, marginRight: 12, marginBottom: 40,
      x: { domain: [0, 100], label: `% of villages (filled) and of ${base.label} (hollow)`, labelAnchor: "left", labelArrow: "none", ticks: 5, grid: true }, y: { axis: null, domain: rows.map(y), padding: 0.2 },
      marks: [
        Plot.link(rows.filter((d) => d.share !== null && d.of !== null), { x1: "of", x2: "share", y, stroke: tone, strokeWidth: (d) => mine(d) ? 3 : 1.5, dy: 8 }),
        Plot.link(rows.filter((d) => d.low !== null), { x1: "low", x2: "high", y, stroke: tone, strokeWidth: 6, dy: 8 }),
        Plot.tickX(rows.filter((d) => d.threshold), { x: "threshold", y, stroke: ink, strokeWidth: 1.5, strokeDasharray: "3 2", insetTop: 16 }),
        Plot.dot(rows.filter((d) => d.of !== null), { x: "of", y, r: 5, fill: paper, stroke: tone, strokeWidth: 2, dy: 8 }),
        Plot.dot(rows.filter((d) => d.share !== null), { x: "share", y, r: 6, fill: tone, dy: 8 }),
        Plot.text(rows, { y, frameAnchor: "left", textAnchor: "start", dy: -9, fontSize: widths.borders < 420 ? 11 : 12, stroke: paper, strokeWidth: 4, fontWeight: (d) => mine(d) ? "bold" : "normal", fill: (d) => mine(d) ? accent : ink,
          text: (d) => `${d.label}: ${d.low === null ? `${word(d.share, 1, "%")}, ${d.verdict}` : `${word(d.low)} to ${word(d.high)}%`}` }),
      ],
    });
    const tellBorders = () => table("borders", `Borders, ${s.year}. Base: ${base.label}.`,
      ["Border", "Villages, %", "Base, %", "Location quotient", "Claim", "Verdict"],
      rows.map((d) => [d.label, d.low === null ? word(d.share, 1) : `${word(d.low)} to ${word(d.high)}`, word(d.of, 1), word(d.lq, 2), d.claim, d.verdict]));

    return [() => answer(s, about, region, base, found), drawTiles, tellTiles, drawPoints, tellPoints,
      drawBorders, tellBorders, ...timeline(s)];
  }

  function answer(s, about, region, base, found) {
    const first = data.regions.find((one) => one.group === region.group);
    const line = (text, strong) => {
      const p = document.createElement("p");
      p.append(text);
      if (strong) p.append(Object.assign(document.createElement("strong"), { textContent: strong }), ".");
      return p;
    };
    const lines = [];
    if (!about.complete) {
      lines.push(line(`${s.year}: ${about.known} of 31 provinces are known, of ${word(about.total)} villages in all. ` + (found.low === null
        ? "The share inside this border: no data." : `The share inside “${region.label}” lies between ${word(found.low, 1)}% and ${word(found.high, 1)}%.`) + " Location quotient and verdict: no data."));
    } else {
      const of = found.of_base[s.base];
      lines.push(line(`${s.year}, “${region.label}”: `, `${word(found.share, 1)}% of ${word(about.total)} villages`));
      lines.push(line(of === null ? "Location quotient: no data, since the bases are known by province and this border cuts provinces."
        : `It holds ${word(of, 1)}% of the ${base.label}, so its location quotient is `, of === null ? "" : word(found.quotient[s.base], 2)));
      for (const [claim, verdict] of Object.entries(found.verdicts)) {
        const told = data.claims[claim];
        lines.push(line(`${claim}: ${told.says} Verdict in the book: ${told.verdict}. With these choices: `, verdict[s.base]));
      }
      if (region !== first) {
        const was = first.results[s.year];
        const [from, to] = [was.verdicts[region.claim][s.base], found.verdicts[region.claim][s.base]];
        lines.push(line(`Against “${first.label}”: ${word(found.share - was.share, 1)} percentage points; the verdict on ${region.claim} ` + (from === to ? `stays ${to}.` : `moves from ${from} to ${to}.`)));
      }
    }
    at("answer").replaceChildren(...lines);
  }

  // ---- policy and cases

  const day = (text) => new Date(`${text}${["-07-01", "", "", "-15", "", "", ""][text.length - 4] ?? ""}`);
  const years = [new Date("2005-10-01"), new Date("2024-07-01")];

  function timeline(s) {
    const event = data.events.find((one) => one.key === s.event);
    const near = (d) => s.province && d.province === s.province;
    const linked = (d) => event ? event.cases.includes(d.id) : near(d);
    const tone = (d) => d === event ? accent : near(d) ? second : grey;
    const known = data.events.filter((d) => d.date);
    const x = { domain: years, type: "time", ticks: "4 years", grid: true, label: null };
    const rule = event?.date ? Plot.ruleX([day(event.date)], { stroke: accent }) : null;
    const drawEvents = () => draw("events", `Strip of the ${known.length} dated policy events by issuer, 2006 to 2024. All ${data.events.length} stand in the list of events below.`, {
      height: 56 * data.levels.length + 30, marginLeft: 4, marginRight: 10, x, fy: { axis: null, domain: data.levels, padding: 0.05 },
      marks: [
        Plot.frame({ stroke: "#dddddd" }), rule,
        Plot.text(data.levels, { fy: (d) => d, text: (d) => d, frameAnchor: "top-left", dx: 4, dy: 3, fill: muted }),
        Plot.dot(known, Plot.dodgeY({ x: (d) => day(d.date), fy: "level", r: (d) => d === event ? 6 : 3.5, fill: tone, anchor: "bottom", padding: 0.5, title: (d) => `${d.date} ${d.issuer}: ${d.title}`, tip: { lineWidth: 16 } })),
      ],
    }, (one) => choose("event", one.key));

    const rows = data.cases.filter((d) => event || s.province ? linked(d) || near(d) : d.shop && d.support);
    const steps = [["shop", "first shop", "circle"], ["recognised", "Taobao Village", "square"], ["support", "public support", "triangle"]];
    const dated = rows.filter((d) => steps.some(([step]) => d[step] !== null));
    const marks = dated.flatMap((d) => steps.filter(([step]) => d[step] !== null).map(([step, label, symbol]) => ({ ...d, label, symbol, x: day(String(d[step])) })));
    const said = `${rows.length ? rows.map((d) => d.place).join(", ") : "none"}`;
    const tellCases = () => {
      at("linked").textContent = event
        ? `${event.date ?? "Not dated"}, ${event.issuer}: ${event.title}. Linked cases: ${event.cases.map((id) => data.cases.find((d) => d.id === id).place).join(", ") || "none"}.` + (s.province ? ` Other cases in ${place.get(s.province)} are shown too.` : "")
        : s.province ? `Cases in ${place.get(s.province)}: ${said}.` : `Cases with a dated first shop and a dated first support: ${said}. Choose a province or an event to see the others.`;
    };
    const drawCases = () => draw("cases", `Dated steps of ${dated.length} cases. The same dates stand in the table below.`, {
      height: 34 * Math.max(dated.length, 1) + 34, marginLeft: 4, marginRight: 10, x, y: { axis: null, domain: dated.map((d) => d.id) },
      marks: [
        rule, dated.length ? null : Plot.text(["no dated step"], { frameAnchor: "middle" }),
        Plot.text(dated, { y: "id", frameAnchor: "left", textAnchor: "start", dy: -8, text: "place", fill: (d) => event && linked(d) ? accent : ink, fontWeight: (d) => event && linked(d) ? "bold" : "normal" }),
        Plot.dot(marks, { x: "x", y: "id", dy: 6, r: 5, symbol: (d) => d.symbol, stroke: (d) => linked(d) && event ? accent : ink, fill: paper, tip: true, title: (d) => `${d.place}: ${d.label}` }),
      ],
    });
    const listCases = () => table("cases", "Cases and their dated steps", ["Case", "Province", "First shop", "Taobao Village", "First public support"],
      rows.map((d) => [d.place, place.get(d.province), ...steps.map(([step]) => d[step] === null ? "no data" : String(d[step]))]));
    return [drawEvents, tellCases, drawCases, listCases];
  }

  // ---- play, and the start

  let clock = null;
  function stop() {
    clearInterval(clock);
    clock = null;
    at("play").textContent = "Play the years";
    at("play").setAttribute("aria-pressed", "false");
  }
  function step() {
    const all = [...fields.year];
    const next = all.findIndex((one) => one.checked) + 1;
    if (next >= all.length) return stop();
    all[next].checked = true;
    update();
  }
  at("play").addEventListener("click", () => {
    if (clock) return stop();
    if (fields.year[fields.year.length - 1].checked) fields.year[0].checked = true;
    at("play").textContent = "Stop";
    at("play").setAttribute("aria-pressed", "true");
    clock = setInterval(step, 1500);
    update();
  });

  let waiting = []; // parts of the start that are still to come; a change makes them needless
  function views() {
    waiting = [];
    for (const one of parts(state())) one();
    app.removeAttribute("aria-busy");
  }
  function start() {
    app.setAttribute("aria-busy", "true");
    waiting = parts(state());
    (function next() {
      waiting.shift()?.();
      if (waiting.length) setTimeout(next);
      else app.removeAttribute("aria-busy");
    })();
  }
  function update() {
    views();
    remember();
  }
  app.addEventListener("submit", (event) => event.preventDefault());
  app.addEventListener("change", (event) => { if (event.target.name === "year") stop(); update(); });
  at("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      at("address").textContent = "Copied.";
    } catch {
      at("address").textContent = location.href;
    }
  });
  addEventListener("hashchange", () => { recall(); update(); });
  for (const { field, heads } of lists) {
    field.addEventListener("input", remember);
    for (const head of heads) head.querySelector("button").addEventListener("click", remember);
  }
  document.querySelectorAll(".tag_explorer-static").forEach((part) => { part.hidden = true; });
  app.hidden = false;
  recall();
  let wide = 0;
  new ResizeObserver(() => {
    if (app.clientWidth === wide) return;
    const begin = wide ? views : start;
    wide = app.clientWidth;
    measure();
    begin();
  }).observe(app);
})();
