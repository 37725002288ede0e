// What pages do beyond HTML: keys, copying, a preview that goes stale, and words when a request fails.
// Everything here is an addition; each page is whole without it.
"use strict";

const isTyping = (element) => element.matches("input:not([type=radio], [type=checkbox]), select, textarea, [contenteditable]");

// The server writes times; in which zone, only the browser knows.
document.cookie = `zone=${Intl.DateTimeFormat().resolvedOptions().timeZone}; path=/; max-age=31536000; samesite=lax`;

// In the person's language, by the names that templates/base.html gives.
const words = () => document.getElementById("toasts").dataset;

function say(text) {
  const toast = document.createElement("p");
  toast.className = "toast";
  toast.textContent = text;
  document.getElementById("toasts").append(toast);
  setTimeout(() => toast.remove(), 6000);
}

// "/" goes to the page's own search if it has one, else to the header's.
function focusSearch() {
  const fields = [...document.querySelectorAll("[data-search]")].filter((field) => field.checkVisibility());
  const field = fields.find((candidate) => candidate.closest("main")) ?? fields[0];
  field?.focus();
  field?.select();
  return Boolean(field);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  // Popovers close on Esc by themselves; a field only lets go of the focus.
  if (event.key === "Escape" && isTyping(event.target)) event.target.blur();
  if (isTyping(event.target)) return;
  if (event.key === "/" && focusSearch()) event.preventDefault();
  if (event.key === "?") document.getElementById("help")?.togglePopover();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.querySelector(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    say(words().copied);
  } catch {
    // Browsers offer no clipboard on plain http: select the text so that Ctrl-C does it.
    getSelection().selectAllChildren(source);
    say(words().selected);
  }
});

// Choosing another broker opens its ticket without a further click.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]") && event.target.form.checkValidity()) event.target.form.requestSubmit();
});

// What is placed must be what was previewed, so a changed ticket disarms the preview it no longer matches.
document.addEventListener("input", (event) => {
  if (!event.target.closest("#ticket")) return;
  const preview = document.getElementById("preview");
  preview.dataset.stale = "";
  for (const button of preview.querySelectorAll("[data-once]")) button.disabled = true;
});

// The server refuses a second order from one preview; this spares the person the refusal.
document.addEventListener("submit", (event) => {
  for (const button of event.target.querySelectorAll("[data-once]")) button.disabled = true;
});

// A page that comes back from the browser's cache may be long out of date, and its buttons are spent.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "preview") document.getElementById("preview").scrollIntoView({ block: "nearest" });
});

document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  say(status === 401 || status === 403 ? words().sessionEnded : words().refused.replace("{status}", status));
});
document.addEventListener("htmx:sendError", () => say(words().unreachable));
