// The ticket's hands: percent buttons, errors at their fields, and the order book renewed while the page is seen.
"use strict";

(() => {
  const ticket = document.getElementById("ticket");
  const book = document.getElementById("book");
  const EVERY_MS = 2000;
  const SOON_MS = 400; // a worker has just been asked

  // ── Percent of what is free ────────────────────────────────────────────────────────────────────────────────────

  ticket.addEventListener("click", (event) => {
    const button = event.target.closest("[data-percent]");
    if (!button) return;
    ticket.elements.size.value = button.dataset.percent;
    ticket.querySelector("[name=size_unit][value=percent]").checked = true;
    ticket.elements.size.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // ── What is wrong, said at each field ──────────────────────────────────────────────────────────────────────────

  function clear(field) {
    field.classList.remove("invalid");
    field.querySelector(".field-error")?.remove();
    for (const input of field.querySelectorAll("[aria-invalid]")) {
      input.removeAttribute("aria-invalid");
      const others = (input.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => !id.endsWith("-error"));
      if (others.join("")) input.setAttribute("aria-describedby", others.join(" "));
      else input.removeAttribute("aria-describedby");
    }
  }

  function mark(name, message) {
    const input = ticket.querySelector(`[name="${CSS.escape(name)}"]`);
    const field = input?.closest(".field");
    if (!field) return null;
    const error = document.createElement("p");
    error.className = "field-error";
    error.id = `${name}-error`;
    error.textContent = message;
    field.querySelector(".field-error")?.remove();
    field.classList.add("invalid");
    field.append(error);
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", `${input.getAttribute("aria-describedby") ?? ""} ${error.id}`.trim());
    const hidden = input.closest("details:not([open])");
    if (hidden) hidden.open = true;
    return input;
  }

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "preview") return;
    ticket.querySelectorAll(".field.invalid").forEach(clear);
    const wrong = [...document.querySelectorAll("#preview [data-error-of]")];
    const inputs = wrong.map((line) => mark(line.dataset.errorOf, line.querySelector("span").textContent));
    inputs.find(Boolean)?.focus();
  });

  // ── The book and the last price ────────────────────────────────────────────────────────────────────────────────

  let timer = null;

  function show(html) {
    book.innerHTML = html;
    const now = book.firstElementChild;
    if (!now.dataset.last) return;
    document.querySelector("[data-last-price]").textContent = now.dataset.lastShown;
    document.dispatchEvent(new CustomEvent("switchyard:price", { detail: Number(now.dataset.last) }));
  }

  async function look() {
    timer = null;
    const answer = await fetch(book.dataset.address, { headers: { "HX-Request": "true" } }).catch(() => null);
    const good = answer?.ok && !answer.redirected;
    if (good) show(await answer.text());
    if (document.hidden || answer?.status === 401) return; // shown again, it looks again; a session that has ended does not
    timer = setTimeout(look, good && !book.querySelector("[data-fetched]") ? SOON_MS : EVERY_MS);
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !timer) look();
  });
  look();
})();
