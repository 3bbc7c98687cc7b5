// Renews a page that shows changing numbers, unless somebody is using a form or a link on it.
"use strict";
const every = 5000;
setInterval(async () => {
  const main = document.querySelector("main[data-refresh]");
  if (!main || document.hidden || main.contains(document.activeElement)) return;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok) return;
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    if (next && !main.contains(document.activeElement)) main.replaceWith(next);
  } catch {
    // The console has ended, or the network is away: the page keeps what it has.
  }
}, every);
