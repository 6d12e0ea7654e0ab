// Everything works without this file; it only makes pages smoother.
(() => {
  "use strict";

  // A pressed button says so. It is not disabled: a press that got lost can be repeated, and the server counts once.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button instanceof HTMLButtonElement) {
      button.setAttribute("aria-busy", "true");
      setTimeout(() => button.removeAttribute("aria-busy"), 8000);
    }
  });
  addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  });

  // The account menu closes like a menu.
  const who = document.querySelector("details.who");
  if (who) {
    document.addEventListener("click", (event) => { if (!who.contains(event.target)) who.open = false; });
    who.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { who.open = false; who.querySelector("summary").focus(); }
    });
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.done;
    } catch { /* the text stands beside the button */ }
  });
  for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = !navigator.clipboard;

  // A live page: the stream says that something has changed, the page asks for itself again and takes over #live.
  const main = document.querySelector("main[data-stream]");
  if (!main || !("EventSource" in window)) return;
  let asking = false;
  let again = false;
  const stream = new EventSource(main.dataset.stream);

  async function renew() {
    if (asking) { again = true; return; }
    asking = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (answer.redirected || !answer.ok) { stream.close(); location.assign(answer.redirected ? answer.url : location.href); return; }
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = document.getElementById("live");
      const next = fresh.getElementById("live");
      if (!now || !next) { stream.close(); location.reload(); return; }
      if (now.innerHTML !== next.innerHTML) swap(now, next);
      document.title = fresh.title;
      if (!fresh.querySelector("main[data-stream]")) stream.close();
    } catch { /* the network is away; the stream comes back by itself and asks again */ } finally {
      asking = false;
      if (again) { again = false; setTimeout(renew, 250); }
    }
  }

  function swap(now, next) {
    const focus = now.contains(document.activeElement) ? document.activeElement.id : "";
    now.replaceWith(document.adoptNode(next));
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  }

  stream.addEventListener("hello", renew); // what changed before the stream stood is not missed
  stream.addEventListener("changed", renew);
})();
