// Draws the equity curve. Colours come from the stylesheet, so both themes and a change of theme are followed.
"use strict";

(() => {
  const frame = document.querySelector("[data-chart]");
  const color = (name) => getComputedStyle(frame).getPropertyValue(name);

  const chart = LightweightCharts.createChart(frame.querySelector(".chart-canvas"), {
    autoSize: true,
    handleScroll: false,
    handleScale: false,
    localization: { priceFormatter: (value) => value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 }) },
    // Its logo writes a <style> element, which the page's policy forbids; the credit stands below the chart instead.
    layout: { attributionLogo: false, background: { color: "transparent" }, fontFamily: getComputedStyle(frame).fontFamily },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderVisible: false, timeVisible: true, fixLeftEdge: true, fixRightEdge: true },
    grid: { vertLines: { visible: false } },
  });
  const curve = chart.addSeries(LightweightCharts.AreaSeries, { lineWidth: 2, priceLineVisible: false });

  function paint() {
    chart.applyOptions({
      layout: { textColor: color("--chart-text") },
      grid: { horzLines: { color: color("--chart-grid") } },
    });
    curve.applyOptions({ lineColor: color("--chart-line"), topColor: color("--chart-fill"), bottomColor: "transparent" });
  }

  async function load() {
    const answer = await fetch(frame.dataset.chart, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) return;
    const { points } = await answer.json();
    // The axis counts in UTC; shifted so that it reads in the person's own time.
    const shift = new Date().getTimezoneOffset() * 60;
    curve.setData(points.map((point) => ({ time: point.time - shift, value: Number(point.value) })));
    chart.timeScale().fitContent();
  }

  document.addEventListener("switchyard:changed", (event) => {
    if (event.detail.has(frame.dataset.liveChart)) load();
  });
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", paint);
  paint();
  load();
})();
