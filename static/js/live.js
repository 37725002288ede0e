// Keeps a page current: listens to the server's event stream and replaces the regions an event concerns.
//
// A region is an element with an id and data-live="orders balances". When an event of one of those names arrives, the page
// is fetched once and every region concerned is exchanged for its newer self. The stream carries no data, only the news that
// something changed, so there is one way in which a page is rendered: the server's.
//
// Nothing is missed: the stream is asked to begin with the moment the page was made, and whoever comes back with the last event
// that was heard, so that the server names what changed in between.
"use strict";

(() => {
  const SETTLE_MS = 250; // one trade makes several events; they are answered together
  const LOST_MS = 4000; // a connection that comes back sooner was not worth a word
  const LONGEST_WAIT_MS = 60000;
  const line = document.getElementById("line-state");
  const concerned = new Set();
  let passedOver = new Set(); // regions that were in use when they should have been replaced
  let stream = null;
  let timer = null;
  let losing = null;
  let wait = 1000;
  let took = 0;
  let lastEvent = null;

  const regions = () => [...document.querySelectorAll("[data-live]")];
  const topicsOf = (region) => region.dataset.live.split(" ");

  // Replacing what a person is typing in or has opened would take it from under their hands; the rest of the page goes on.
  const inUse = (region) => region.querySelector(":popover-open, details[open]") || (region.contains(document.activeElement) && document.activeElement.matches("input, select, textarea"));

  // The same link or button in the newer region, so that the keyboard stays where it was.
  function sameControl(region, control) {
    const name = ["popovertarget", "href", "aria-label"].find((attribute) => control.hasAttribute(attribute));
    return name && region.querySelector(`[${name}="${CSS.escape(control.getAttribute(name))}"]`);
  }

  async function refresh() {
    timer = null;
    if (concerned.size) document.dispatchEvent(new CustomEvent("switchyard:changed", { detail: new Set(concerned) }));
    const outOfDate = regions().filter((region) => passedOver.has(region.id) || topicsOf(region).some((topic) => concerned.has(topic)));
    const wanted = outOfDate.filter((region) => !inUse(region));
    concerned.clear();
    passedOver = new Set(outOfDate.filter(inUse).map((region) => region.id));
    if (passedOver.size) later(2000);
    if (!wanted.length) return;
    const asked = performance.now();
    const answer = await fetch(location.href, { headers: { "X-Requested-With": "live" } }).catch(() => null);
    if (!answer?.ok || answer.redirected) return; // logged out or briefly down: what is shown stays
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    took = performance.now() - asked;
    for (const region of wanted) {
      const newer = page.getElementById(region.id);
      if (!newer || newer.outerHTML === region.outerHTML) continue;
      const focus = region.contains(document.activeElement) && sameControl(newer, document.activeElement);
      region.replaceWith(newer);
      if (focus) focus.focus({ preventScroll: true });
      window.htmx?.process(newer);
    }
    document.dispatchEvent(new CustomEvent("switchyard:refreshed"));
  }

  function later(wait) {
    timer ??= setTimeout(refresh, wait);
  }

  // However much happens, the server is asked no more than a fifth of the time.
  function changed(event) {
    lastEvent = event.lastEventId || lastEvent;
    concerned.add(event.type);
    later(SETTLE_MS + 4 * took);
  }

  const topics = () => new Set([...regions().flatMap(topicsOf), ...[...document.querySelectorAll("[data-live-chart]")].map((chart) => chart.dataset.liveChart)]);

  function address() {
    const url = new URL(line.dataset.stream, location.href);
    if (lastEvent) url.searchParams.set("since", lastEvent);
    return url;
  }

  function open() {
    if (stream || document.hidden || !topics().size) return;
    stream = new EventSource(address());
    stream.onopen = () => {
      clearTimeout(losing);
      losing = null;
      wait = 1000;
      line.dataset.state = "live";
    };
    stream.onerror = () => {
      losing ??= setTimeout(() => (line.dataset.state = "lost"), LOST_MS);
      if (stream?.readyState !== EventSource.CLOSED) return; // the browser comes back by itself
      close(); // after a refusal it does not
      setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    };
    for (const topic of topics()) stream.addEventListener(topic, changed);
  }

  function close() {
    stream?.close();
    stream = null;
  }

  // A hidden tab holds no connection; when it is shown again it is told what it missed.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  open();
})();
