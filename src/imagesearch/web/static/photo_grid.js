// A grid of photos in rows of the same width: endless, for mouse, touch and keyboard.
// Names and captions are only ever text nodes and attributes.
import { findInNextRow, layOut } from "/static/grid_layout.js";
import { formatPhotos } from "/static/shared.js";

const THUMBNAILS = [128, 256, 512, 1024];
const LONG_TOUCH = 450;
const RANGE_STEP = 200;

function load(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function save(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // a browser may refuse to store anything
  }
}

export default {
  template: `
    <section class="photo-grid" aria-label="photos">
      <div class="grid-tools" v-if="items.length">
        <slot></slot>
        <label class="grid-size">
          <span class="visually-hidden">Size of the photos</span>
          <input type="range" min="90" max="420" step="10" v-model.number="height" @change="saveView">
        </label>
        <button type="button" class="tool-button" @click="toggleLayout" :aria-pressed="String(squares)"
          title="Squares">{{ squares ? "◫" : "▦" }}<span class="visually-hidden">Squares</span></button>
      </div>
      <div class="grid-rows" ref="rows" role="list" :style="{height: layout.height + 'px'}" :data-shown="items.length">
        <template v-for="strip in visible" :key="strip.key">
          <div v-if="strip.isRule" class="grid-rule" :style="getBox(strip)"></div>
          <h2 v-else-if="strip.heading" class="grid-heading" :class="{'less-alike': strip.lessAlike}" :title="strip.heading" :style="getBox(strip)">
            {{ strip.heading }} <span class="grid-count">{{ strip.count }}</span>
          </h2>
          <div v-else class="grid-row" :class="{'less-alike': strip.lessAlike}" :style="getBox(strip)">
            <div v-for="tile in strip.tiles" :key="tile.item.id" class="tile" role="listitem"
              :aria-posinset="tile.index + 1" :aria-setsize="done ? items.length : -1"
              :class="{selected: selected.has(tile.item.id)}" :style="{width: tile.width + 'px'}">
              <a :href="href(tile.item)" :data-index="tile.index" :tabindex="tile.index === active ? 0 : -1"
                :aria-label="tile.item.alt" draggable="false"
                @click="onClick($event, tile)" @keydown="onKey($event, tile)" @focus="active = tile.index"
                @pointerdown="onTouch($event, tile)" @pointerup="endTouch" @pointercancel="endTouch"
                @pointermove="moveTouch" @contextmenu="onMenu">
                <img v-abort :src="thumbnail(tile.item, 256)" :srcset="srcset(tile.item)" :sizes="Math.ceil(tile.width) + 'px'"
                  :alt="tile.item.alt" loading="lazy" decoding="async" draggable="false">
                <span class="tile-caption" aria-hidden="true">{{ tile.item.caption }}</span>
              </a>
              <button type="button" class="tile-check" role="checkbox" tabindex="-1"
                :aria-checked="String(selected.has(tile.item.id))" :aria-label="'Select: ' + tile.item.alt"
                @click="onCheck($event, tile)">✓</button>
            </div>
          </div>
        </template>
      </div>
      <p v-if="!items.length && batch.empty" class="grid-empty">{{ batch.empty }}</p>
      <div ref="end" class="grid-end" aria-hidden="true"><span v-if="!done && items.length">Loading…</span></div>
      <div v-if="selected.size" class="selection-bar" role="toolbar" aria-label="selected photos">
        <span class="selection-count" :class="{refused: refusal}" aria-live="polite">{{ refusal || selected.size + " selected" }}</span>
        <button type="button" @click="copy" aria-label="Copy paths">Copy<span class="wide-only"> paths</span></button>
        <button type="button" @click="download">Download</button>
        <button type="button" @click="$emit('name', { ids: chosen() })">Name</button>
        <button type="button" @click="selectAll" aria-label="All shown">All<span class="wide-only"> shown</span></button>
        <button type="button" class="quiet" @click="clear">Clear</button>
      </div>
      <div v-if="offered !== null" class="text-offer" role="dialog" aria-label="paths" @keydown.esc="offered = null">
        <p>Copy the paths from here:</p>
        <textarea readonly ref="offer" :value="offered" rows="8" aria-label="paths"></textarea>
        <button type="button" @click="offered = null">Close</button>
      </div>
      <form ref="form" method="post" action="/download" hidden><input type="hidden" name="ids" ref="ids"></form>
    </section>
  `,
  directives: {
    // A browser loads images that were scrolled away to the end, and those on the screen wait for them.
    abort: {
      beforeUnmount(image) {
        if (image.complete) return;
        image.removeAttribute("srcset");
        image.removeAttribute("src");
      },
    },
  },
  props: { batch: Object, maxDownload: Number },
  emits: ["more", "copy", "name"],
  data() {
    const view = load("photo-grid", {});
    return {
      items: [],
      width: 0,
      height: view.height ?? (window.innerWidth < 600 ? 130 : 200),
      squares: view.squares ?? false,
      selected: new Set(),
      active: 0,
      anchor: null,
      offered: null,
      refusal: "", // why the selected photos are not downloaded
      generation: -1,
      requested: -1,
      range: { top: 0, bottom: 2 * window.innerHeight },
    };
  },
  computed: {
    done() {
      return this.batch.done;
    },
    layout() {
      return layOut(this.items, this.width, this.height, this.squares);
    },
    // Only the rows near the screen are drawn, and that of the photo that the keyboard is at.
    visible() {
      const { top, bottom } = this.range;
      const row = this.layout.rows[this.layout.rowOf[this.active]];
      return this.layout.strips.filter(
        (strip) => (strip.top < bottom && strip.top + strip.height > top) || (strip.tiles && strip.top === row?.top),
      );
    },
  },
  watch: {
    batch: { immediate: true, handler: "takeBatch" },
    selected() {
      this.refusal = "";
    },
    layout: { flush: "post", handler: "findRange" },
  },
  mounted() {
    this.resize = new ResizeObserver(() => (this.width = this.$refs.rows.clientWidth));
    this.resize.observe(this.$refs.rows);
    this.width = this.$refs.rows.clientWidth;
    this.end = new IntersectionObserver((entries) => entries.at(-1).isIntersecting && this.requestMore(), {
      rootMargin: "1400px 0px",
    });
    this.end.observe(this.$refs.end);
    history.scrollRestoration = "manual"; // the page is shorter until its photos are there
    window.addEventListener("pagehide", this.keepPlace);
    window.addEventListener("scroll", this.findRange, { passive: true });
    window.addEventListener("resize", this.findRange, { passive: true });
    this.$nextTick(this.returnToPlace);
  },
  beforeUnmount() {
    window.removeEventListener("pagehide", this.keepPlace);
    window.removeEventListener("scroll", this.findRange);
    window.removeEventListener("resize", this.findRange);
    this.resize.disconnect();
    this.end.disconnect();
  },
  methods: {
    takeBatch(batch) {
      if (batch.generation !== this.generation) {
        this.generation = batch.generation;
        this.items = Object.freeze(batch.items); // not observed: there can be thousands
        this.selected = new Set();
        this.active = 0;
        this.anchor = null;
        this.place = this.items.length ? (history.state ?? {}) : this.place; // where the user was before
      } else {
        this.items = Object.freeze(this.items.concat(batch.items));
      }
      this.requested = -1;
      this.$nextTick(() => {
        if (!this.end) return;
        this.returnToPlace();
        this.end.unobserve(this.$refs.end);
        this.end.observe(this.$refs.end);
      });
    },
    returnToPlace() {
      if (!this.place || !this.items.length) return;
      if (this.items.length < (this.place.shown ?? 0) && !this.done) {
        this.requestMore();
        return;
      }
      window.scrollTo(0, this.place.y ?? 0);
      this.place = null;
    },
    keepPlace() {
      history.replaceState({ ...history.state, shown: this.items.length, y: window.scrollY }, "");
    },
    requestMore() {
      if (this.done || !this.items.length || this.requested === this.items.length) return;
      this.requested = this.items.length;
      this.$emit("more", { generation: this.generation, count: this.items.length });
    },
    // The range of the grid that is drawn: a screen above and a screen below the window, in steps.
    findRange() {
      if (!this.$refs.rows) return;
      const screen = window.innerHeight;
      const above = -this.$refs.rows.getBoundingClientRect().top;
      const top = Math.floor(above / RANGE_STEP) * RANGE_STEP - screen;
      if (top !== this.range.top || this.range.bottom !== top + 3 * screen + RANGE_STEP)
        this.range = { top, bottom: top + 3 * screen + RANGE_STEP };
    },
    getBox(strip) {
      return { top: strip.top + "px", left: strip.left + "px", width: strip.width + "px", height: strip.height + "px" };
    },
    href(item) {
      const { address } = this.batch; // empty: that of all photos
      return "/photos/" + item.id + (typeof address === "string" ? "?" + (address || "from=") : "");
    },
    thumbnail(item, size) {
      return "/thumbnail/" + item.id + "?size=" + size;
    },
    srcset(item) {
      // a size is that of the longer side, and a squared photo is cut from its middle
      const share = this.squares ? Math.min(item.aspect, 1 / item.aspect) : Math.min(1, item.aspect);
      return THUMBNAILS.map((size) => this.thumbnail(item, size) + " " + Math.max(1, Math.round(size * share)) + "w").join(", ");
    },
    saveView() {
      save("photo-grid", { height: this.height, squares: this.squares });
    },
    toggleLayout() {
      this.squares = !this.squares;
      this.saveView();
    },
    // --- selection
    toggle(tile, extend) {
      const selected = new Set(this.selected);
      if (extend && this.anchor !== null) {
        const [from, to] = [this.anchor, tile.index].sort((a, b) => a - b);
        for (const item of this.items.slice(from, to + 1)) selected.add(item.id);
      } else if (!selected.delete(tile.item.id)) {
        selected.add(tile.item.id);
      }
      if (!extend) this.anchor = tile.index;
      this.active = tile.index;
      this.selected = selected;
    },
    onCheck(event, tile) {
      if (this.wasLongTouch) {
        this.wasLongTouch = false; // the mark appeared below the finger
        return;
      }
      this.toggle(tile, event.shiftKey);
    },
    onClick(event, tile) {
      const isTap = this.pointer === "touch" && this.selected.size > 0;
      if (this.wasLongTouch || event.shiftKey || isTap) {
        event.preventDefault();
        if (!this.wasLongTouch) this.toggle(tile, event.shiftKey);
        this.wasLongTouch = false;
      }
    },
    onTouch(event, tile) {
      this.pointer = event.pointerType;
      this.wasLongTouch = false;
      if (event.pointerType !== "touch") return;
      this.touched = [event.clientX, event.clientY];
      this.timer = setTimeout(() => {
        this.wasLongTouch = true;
        this.toggle(tile, false);
        navigator.vibrate?.(10);
      }, LONG_TOUCH);
    },
    moveTouch(event) {
      if (this.touched && Math.hypot(event.clientX - this.touched[0], event.clientY - this.touched[1]) > 10) this.endTouch();
    },
    endTouch() {
      clearTimeout(this.timer);
      this.touched = null;
    },
    onMenu(event) {
      if (this.pointer === "touch") event.preventDefault();
    },
    onKey(event, tile) {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) this.focus(tile.index + step);
      else if (event.key === "ArrowDown" || event.key === "ArrowUp") this.focusRow(tile, event.key === "ArrowDown" ? 1 : -1);
      else if (event.key === "Home") this.focus(0);
      else if (event.key === "End") this.focus(this.items.length - 1);
      else if (event.key === " ") this.toggle(tile, event.shiftKey);
      else if (event.key === "a" && (event.ctrlKey || event.metaKey)) this.selectAll();
      else if (event.key === "Escape" && this.selected.size) this.clear();
      else return;
      event.preventDefault();
    },
    focus(index) {
      const target = Math.min(Math.max(index, 0), this.items.length - 1);
      this.active = target;
      this.$nextTick(() => this.$refs.rows.querySelector('a[data-index="' + target + '"]')?.focus());
    },
    focusRow(tile, step) {
      const next = findInNextRow(this.layout, tile.index, step);
      if (next !== null) this.focus(next);
    },
    selectAll() {
      this.selected = new Set(this.items.map((item) => item.id));
    },
    clear() {
      this.selected = new Set();
      this.anchor = null;
    },
    chosen() {
      return this.items.filter((item) => this.selected.has(item.id)).map((item) => item.id);
    },
    copy() {
      this.$emit("copy", { ids: this.chosen() });
    },
    download() {
      if (this.selected.size > this.maxDownload) {
        this.refusal = "at most " + formatPhotos(this.maxDownload) + " can be downloaded at once";
        return;
      }
      this.$refs.ids.value = this.chosen().join(",");
      this.$refs.form.submit();
    },
    async offerText(text) {
      try {
        await navigator.clipboard.writeText(text);
        this.$q?.notify({ message: "Copied", timeout: 1500, position: "bottom" });
      } catch {
        this.offered = text;
        this.$nextTick(() => this.$refs.offer.select());
      }
    },
  },
};
