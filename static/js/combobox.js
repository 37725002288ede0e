// Type to find: the list of what fits an input, by the ARIA practice for an editable combobox. The server finds; here is only
// the keyboard: arrows move, Enter takes, Escape closes. Taking a market sends the form it stands in.
"use strict";

(() => {
  const PAUSE_MS = 120; // between two keys of one word

  function watch(box) {
    const input = box.querySelector("[role=combobox]");
    const list = box.querySelector("[role=listbox]");
    const status = box.querySelector("[role=status]");
    let timer = null;
    let asking = null;

    const options = () => [...list.children];
    const active = () => list.querySelector("[aria-selected=true]");
    const isOpen = () => !list.hidden;

    function close() {
      clearTimeout(timer);
      asking?.abort();
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function open() {
      list.hidden = !options().length;
      input.setAttribute("aria-expanded", String(isOpen()));
      status.textContent = options().length ? `${options().length} ${list.dataset.many}` : list.dataset.none;
    }

    function activate(option) {
      active()?.setAttribute("aria-selected", "false");
      option?.setAttribute("aria-selected", "true");
      option?.scrollIntoView({ block: "nearest" });
      if (option) input.setAttribute("aria-activedescendant", option.id);
      else input.removeAttribute("aria-activedescendant");
    }

    function take(option) {
      input.value = option.dataset.value;
      close();
      input.form.requestSubmit();
    }

    // With a step, an option is active as soon as there is one.
    async function find(step) {
      clearTimeout(timer);
      asking?.abort();
      asking = new AbortController();
      const address = new URL(box.dataset.combobox, location);
      address.searchParams.set("symbol", input.value);
      const broker = input.form.elements.broker_id;
      if (broker) address.searchParams.set("broker_id", broker.value);
      const answer = await fetch(address, { signal: asking.signal, headers: { "HX-Request": "true" } }).catch(() => null);
      if (!answer?.ok || document.activeElement !== input) return;
      list.innerHTML = await answer.text();
      options().forEach((option, number) => { option.id = `${list.id}-${number}`; });
      activate(null);
      open();
      if (step && isOpen()) move(step);
    }

    function later() {
      clearTimeout(timer);
      timer = setTimeout(() => find(0), PAUSE_MS);
    }

    // From the last the next is the first, and the other way round; with none yet, the first or the last.
    function move(step) {
      const all = options();
      const from = all.indexOf(active());
      activate(all[from < 0 ? (step > 0 ? 0 : all.length - 1) : (from + step + all.length) % all.length]);
    }

    input.addEventListener("input", later);
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const step = event.key === "ArrowDown" ? 1 : -1;
        if (isOpen()) move(step);
        else find(step);
      } else if (event.key === "Enter" && isOpen() && active()) {
        event.preventDefault();
        take(active());
      } else if (event.key === "Escape" && isOpen()) {
        event.stopPropagation(); // one press closes the list, the next leaves the field
        close();
      }
    });
    // Before the input loses the focus, and with it the list.
    list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) take(option);
    });
  }

  document.querySelectorAll("[data-combobox]").forEach(watch);
})();
