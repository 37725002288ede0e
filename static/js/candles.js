// Draws the candles of a market with what a person has at stake there. Lines and marks are the rows of the tables behind the
// chart, which the server renders and live.js renews; the price now comes with the order book (ticket.js).
"use strict";

(() => {
  const frame = document.querySelector("[data-candles]");
  const state = document.getElementById("chart-state");
  const figures = document.getElementById("candle-figures");
  const intervals = document.getElementById("intervals");
  const EVERY_MS = 10000;
  const SOON_MS = 500; // a worker has just been asked
  const TONES = { BUY: "--chart-up", SELL: "--chart-down", ENTRY: "--chart-line", STOP_LOSS: "--chart-down", TAKE_PROFIT: "--chart-up" };

  const color = (name) => getComputedStyle(frame).getPropertyValue(name);
  const digits = (frame.dataset.tick.split(".")[1] ?? "").length;
  // The axis counts in UTC; shifted so that it reads in the person's own time.
  const shift = new Date().getTimezoneOffset() * 60;

  const chart = LightweightCharts.createChart(frame.querySelector(".chart-canvas"), {
    autoSize: true,
    // Its logo writes a <style> element, which the page's policy forbids; the credit stands below the chart instead.
    layout: { attributionLogo: false, background: { color: "transparent" }, fontFamily: getComputedStyle(frame).fontFamily },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderVisible: false, timeVisible: true, rightOffset: 4 },
    grid: { vertLines: { visible: false } },
  });
  const series = chart.addSeries(LightweightCharts.CandlestickSeries, {
    priceFormat: { type: "price", precision: digits, minMove: 10 ** -digits },
  });
  const marks = LightweightCharts.createSeriesMarkers(series, []);
  let bars = [];
  let drawn = [];
  let timer = null;

  const chosen = () => intervals.querySelector(":checked").value;

  function paint() {
    chart.applyOptions({ layout: { textColor: color("--chart-text") }, grid: { horzLines: { color: color("--chart-grid") } } });
    const [up, down] = [color("--chart-up"), color("--chart-down")];
    series.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false });
    drawStakes();
  }

  function drawStakes() {
    drawn.forEach((line) => series.removePriceLine(line));
    drawn = [...document.querySelectorAll("#chart-lines [data-line]")].map(({ dataset }) => series.createPriceLine({
      price: Number(dataset.price),
      title: dataset.title,
      color: color(TONES[dataset.line]),
      lineWidth: 1,
      lineStyle: dataset.line === "ENTRY" ? LightweightCharts.LineStyle.Solid : LightweightCharts.LineStyle.Dashed,
    }));
    frame.dataset.lines = drawn.length;
    marks.setMarkers([...document.querySelectorAll("#fills [data-fill]")].map(markOf).filter(Boolean).sort((a, b) => a.time - b.time));
  }

  // A fill is marked at the candle in which it happened.
  function markOf({ dataset }) {
    const bar = bars.findLast((candle) => candle.time <= Number(dataset.at) - shift);
    const buys = dataset.fill === "BUY";
    return bar && {
      time: bar.time,
      position: buys ? "belowBar" : "aboveBar",
      shape: buys ? "arrowUp" : "arrowDown",
      color: color(buys ? "--chart-up" : "--chart-down"),
    };
  }

  function show(candles, first) {
    bars = candles.map((candle) => ({
      time: candle.time - shift,
      open: Number(candle.open),
      high: Number(candle.high),
      low: Number(candle.low),
      close: Number(candle.close),
    }));
    series.setData(bars);
    drawStakes();
    if (first) chart.timeScale().setVisibleLogicalRange({ from: bars.length - 90, to: bars.length + 4 });
    frame.dataset.candlesShown = bars.length;
  }

  async function load(first) {
    clearTimeout(timer);
    const interval = chosen();
    const answer = await fetch(`${frame.dataset.candles}&interval=${interval}`, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (interval !== chosen()) return; // another was chosen meanwhile, and is being asked for
    const { candles, problem } = answer?.ok && !answer.redirected ? await answer.json() : {};
    if (candles) show(candles, first);
    state.textContent = problem ? `${state.dataset.failed} ${problem}` : candles ? "" : state.dataset.waiting;
    if (document.hidden || answer?.status === 401) return;
    timer = setTimeout(() => load(first && !candles), candles || problem ? EVERY_MS : SOON_MS);
  }

  async function showFigures() {
    if (!figures.closest("details").open) return;
    const answer = await fetch(`${figures.dataset.address}&interval=${chosen()}`, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (answer?.ok) figures.innerHTML = await answer.text();
  }

  intervals.addEventListener("change", () => {
    const address = new URL(location);
    address.searchParams.set("interval", chosen());
    history.replaceState(null, "", address);
    load(true);
    showFigures();
  });
  figures.closest("details").addEventListener("toggle", showFigures);
  document.addEventListener("switchyard:price", ({ detail: price }) => {
    const last = bars.at(-1);
    if (!last) return;
    Object.assign(last, { close: price, high: Math.max(last.high, price), low: Math.min(last.low, price) });
    series.update(last);
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) load(false);
  });
  const renewed = new MutationObserver(drawStakes);
  for (const id of ["chart-lines", "fills"]) renewed.observe(document.getElementById(id).parentElement, { childList: true });
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", paint);
  paint();
  load(true);
})();
