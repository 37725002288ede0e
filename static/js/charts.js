// Draws the curves of a page from the figures their addresses answer with. Colours come from the stylesheet, so both
// themes and a change of theme are followed. A curve that stays on the page is fed anew when what it tells of changes.
"use strict";

(() => {
  const drawn = new WeakMap(); // frame -> what feeds and paints its curve

  function draw(frame) {
    const color = (name) => getComputedStyle(frame).getPropertyValue(name);
    const chart = LightweightCharts.createChart(frame.querySelector(".chart-canvas"), {
      autoSize: true,
      handleScroll: false,
      handleScale: false,
      localization: { priceFormatter: (value) => value.toLocaleString(document.documentElement.lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 }) },
      // Its logo writes a <style> element, which the page's policy forbids; the credit stands below the chart instead.
      layout: { attributionLogo: false, background: { color: "transparent" }, fontFamily: getComputedStyle(frame).fontFamily },
      rightPriceScale: { borderVisible: false },
      timeScale: { borderVisible: false, timeVisible: true, fixLeftEdge: true, fixRightEdge: true },
      grid: { vertLines: { visible: false } },
    });
    const curves = []; // one for each stretch without a gap

    function paint() {
      chart.applyOptions({
        layout: { textColor: color("--chart-text") },
        grid: { horzLines: { color: color("--chart-grid") } },
      });
      for (const curve of curves) curve.applyOptions({ lineColor: color("--chart-line"), topColor: color("--chart-fill"), bottomColor: "transparent" });
    }

    async function feed() {
      const answer = await fetch(frame.dataset.chart, { headers: { Accept: "application/json" } }).catch(() => null);
      if (!answer?.ok) return;
      const { points } = await answer.json();
      // The axis counts in UTC; shifted so that it reads in the person's own time.
      const shift = new Date().getTimezoneOffset() * 60;
      const stretches = withoutGaps(points).map((stretch) => stretch.map(({ time, value }) => ({ time: time - shift, value: Number(value) })));
      while (curves.length < stretches.length) curves.push(chart.addSeries(LightweightCharts.AreaSeries, { lineWidth: 2, priceLineVisible: false }));
      curves.forEach((curve, index) => {
        curve.setData(stretches[index] ?? []);
        curve.applyOptions({ lastValueVisible: index === stretches.length - 1 });
      });
      paint();
      chart.timeScale().fitContent();
    }

    feed();
    return { feed, paint };
  }

  // A time without a value parts the curve: nothing is known of it.
  function withoutGaps(points) {
    const stretches = [[]];
    for (const point of points) {
      if (point.value === null) stretches.push([]);
      else stretches.at(-1).push(point);
    }
    return stretches.filter((stretch) => stretch.length);
  }

  const frames = () => [...document.querySelectorAll("[data-chart]")];

  function drawNewOnes() {
    for (const frame of frames()) if (!drawn.has(frame)) drawn.set(frame, draw(frame));
  }

  document.addEventListener("switchyard:changed", (event) => {
    for (const frame of frames()) if (event.detail.has(frame.dataset.liveChart)) drawn.get(frame)?.feed();
  });
  document.addEventListener("switchyard:refreshed", drawNewOnes);
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => frames().forEach((frame) => drawn.get(frame)?.paint()));
  drawNewOnes();
})();
