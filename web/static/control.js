"use strict";
// The page shows the figures without this; with it they follow by themselves.
const totals = document.getElementById("totals");
if (totals && window.EventSource) {
  const source = new EventSource(totals.dataset.stream);
  source.addEventListener("totals", (event) => { totals.innerHTML = event.data; });
  const word = document.createElement("p");
  word.className = "help noprint";
  word.textContent = totals.dataset.live;
  source.addEventListener("open", () => totals.after(word), { once: true });
  window.addEventListener("pagehide", () => source.close());
}
