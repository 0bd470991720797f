// What HTML cannot say: the CSRF header of htmx requests, one submit per form, focus after a swap,
// words when a request fails, news only for who looks. Every page works without this file.
(() => {
  "use strict";
  const doc = document;
  const submits = (form) => form.querySelectorAll("button:not([type=button])");
  const set = (form, busy) => {
    for (const button of submits(form)) {
      if (busy && button.disabled) continue;
      if (!busy && !button.hasAttribute("aria-busy")) continue;
      button.disabled = busy;
      if (busy) button.setAttribute("aria-busy", "true");
      else button.removeAttribute("aria-busy");
    }
  };
  const focus = (element) => {
    if (!element) return;
    if (!element.hasAttribute("tabindex")) element.setAttribute("tabindex", "-1");
    element.focus();
  };

  if (window.htmx) doc.documentElement.classList.add("js");

  doc.addEventListener("htmx:configRequest", (event) => {
    const token = doc.querySelector('meta[name="csrf-token"]');
    if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token.content;
  });

  // After the browser has collected the form, so that the button's own value is sent too.
  doc.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    setTimeout(() => set(form, true));
  });
  addEventListener("pageshow", () => doc.querySelectorAll("form").forEach((form) => set(form, false)));

  // News that a page asks for by itself: not while it is out of sight, nor under the reader's hands.
  const refreshes = (element) => element.matches("[data-hx-trigger^='every ']");
  doc.addEventListener("htmx:beforeRequest", (event) => {
    const place = event.detail.elt;
    if (!refreshes(place)) return;
    const chosen = getSelection();
    const held = chosen && !chosen.isCollapsed && chosen.containsNode(place, true);
    if (doc.hidden || held || place.contains(doc.activeElement)) event.preventDefault();
  });

  const form = (event) => (event.detail.elt.matches("form") ? event.detail.elt : event.detail.elt.form);
  let pressed = []; // ids of the control that started a request and of its row: focus leaves what is disabled
  doc.addEventListener("htmx:beforeRequest", (event) => {
    const from = doc.activeElement;
    pressed = [from.id, from.closest("article")?.id].filter(Boolean);
    if (event.detail.requestConfig.verb !== "get" && form(event)) set(form(event), true);
  });
  doc.addEventListener("htmx:afterRequest", (event) => {
    const sent = form(event);
    const leaving = event.detail.xhr.getResponseHeader("HX-Redirect");
    if (sent && !leaving) set(sent, false);
    if (!event.detail.failed || event.detail.xhr.status === 422 || refreshes(event.detail.elt)) return;
    const words = doc.getElementById("failed-request");
    const flash = doc.getElementById("layouts-flash");
    if (words && flash && !leaving) flash.replaceChildren(words.content.cloneNode(true));
  });

  // Only after an action: a preview that follows typing must not take the cursor away.
  doc.addEventListener("htmx:afterSettle", (event) => {
    const { requestConfig, target } = event.detail;
    if (!requestConfig || requestConfig.verb === "get") return;
    const swapped = target.id && doc.getElementById(target.id);
    if (!swapped) return focus(doc.querySelector("#main [data-focus]")); // another page took its place
    const news = swapped.querySelector("[role=alert], [role=status]");
    const again = pressed.map((id) => doc.getElementById(id)).find((found) => found && swapped.contains(found));
    return focus(news || again || swapped.querySelector("h1, h2, h3"));
  });

  doc.addEventListener("DOMContentLoaded", () => {
    focus(doc.querySelector("[data-focus]"));
    const tab = doc.querySelector(".nav-tabs .active");
    if (tab) tab.scrollIntoView({ inline: "center", block: "nearest", behavior: "instant" }); // phones scroll the tabs
  });
})();
