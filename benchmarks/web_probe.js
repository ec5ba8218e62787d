// Runs in the page before its own scripts: notes when keys are pressed and when messages are sent and received.
(() => {
  const probe = { messages: [], pressed: 0 };
  window.probe = probe;
  performance.setResourceTimingBufferSize(100000);
  for (const name of ["keydown", "click"]) {
    addEventListener(name, (event) => (probe.pressed = event.timeStamp), true);
  }
  const note = (kind, data) => {
    const text = typeof data === "string" ? data : "";
    probe.messages.push({ kind, at: performance.now(), bytes: text.length, text: text.slice(0, 4000) });
  };
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    if (!this.isNoted) this.addEventListener("message", (event) => note("received", event.data));
    this.isNoted = true;
    note("sent", data);
    return send.call(this, data);
  };
  // Resolves with the milliseconds from the last key or click until a condition holds, checked at each frame.
  probe.until = (condition, seconds) =>
    new Promise((resolve) => {
      const end = performance.now() + 1000 * seconds;
      const check = () => {
        const now = performance.now();
        if (condition()) resolve(now - probe.pressed);
        else if (now > end) resolve(null);
        else requestAnimationFrame(check);
      };
      check();
    });
  const tiles = (count) => [...document.querySelectorAll(".tile")].slice(0, count);
  probe.isAnswered = (before) => {
    const first = document.querySelector(".tile a");
    return location.search !== before && first !== null && first.search === location.search;
  };
  probe.isLoaded = (before, count) => {
    const shown = tiles(count);
    const images = shown.map((tile) => tile.querySelector("img"));
    return probe.isAnswered(before) && images.every((image) => image.complete && image.naturalWidth > 0);
  };
  probe.images = () =>
    performance
      .getEntriesByType("resource")
      .filter((entry) => entry.name.includes("/thumbnail/") && entry.transferSize > 0)
      .map((entry) => [entry.startTime, entry.requestStart, entry.responseEnd]);
})();
