// The drawer of filters. Each change is sent at once: {field: value}, or {field: {add: value}} and {field: {remove: value}}.
import { findBar, formatMonth } from "/static/shared.js";

const MANY = 10;
const DATE = /^\d{4}(-\d\d(-\d\d.*)?)?$/;
const NO_BARS = [1, 0];

const TreeNode = {
  name: "TreeNode",
  props: { node: Object, selected: Array, depth: Number, inside: String },
  emits: ["toggle"],
  data() {
    return { open: this.contains(this.node) };
  },
  methods: {
    contains(node) {
      return node.children.some((child) => this.selected.includes(child.value) || this.contains(child));
    },
    onKey(event) {
      // as in a tree of the system: up and down move, right opens, left closes or goes to the node around
      const moves = { ArrowUp: -1, ArrowDown: 1 };
      if (event.key === "ArrowRight") this.open = true;
      else if (event.key === "ArrowLeft" && this.open) this.open = false;
      else if (event.key === "ArrowLeft") this.$el.parentElement.closest("li")?.querySelector("input").focus();
      else if (moves[event.key]) {
        const all = [...this.$el.closest(".filter-tree").querySelectorAll("input")];
        all[all.indexOf(this.$el.querySelector("input")) + moves[event.key]]?.focus();
      } else return;
      event.preventDefault();
    },
  },
  template: `
    <li>
      <div class="filter-row" :style="{paddingLeft: depth * 16 + 'px'}" @keydown="onKey">
        <button v-if="node.children.length" type="button" class="tree-toggle" @click="open = !open" :aria-expanded="String(open)"
          :aria-label="inside + ' in ' + node.name">{{ open ? "▾" : "▸" }}</button>
        <span v-else class="tree-toggle"></span>
        <label><input type="checkbox" :checked="selected.includes(node.value)" @change="$emit('toggle', node.value, $event.target.checked)">
          <span class="filter-name" dir="auto">{{ node.name }}</span><span class="filter-count">{{ node.count }}</span></label>
      </div>
      <ul v-if="open && node.children.length">
        <tree-node v-for="child in node.children" :key="child.value" :node="child" :selected="selected" :depth="depth + 1" :inside="inside"
          @toggle="(...change) => $emit('toggle', ...change)"></tree-node>
      </ul>
    </li>
  `,
};
TreeNode.components = { TreeNode };

export default {
  components: { TreeNode },
  template: `
    <aside v-show="shown" class="filter-panel" aria-label="filters" @keydown.esc="$emit('close')">
      <header class="filter-head">
        <h2>Filters</h2>
        <button type="button" class="quiet" @click="clear">Clear</button>
        <button type="button" class="filter-close" aria-label="Close the filters" ref="close" @click="$emit('close')">×</button>
      </header>
      <p v-if="!offers" class="filter-wait">Loading…</p>
      <template v-else>
        <div class="filter-field" data-fields="sort">
          <label for="filter-sort">Order</label>
          <select id="filter-sort" :value="value.sort" @change="send({sort: $event.target.value})">
            <option value="score">best first</option><option value="date">newest first</option><option value="oldest">oldest first</option>
          </select>
        </div>
        <details open v-if="offers.people.length" data-fields="people any_person">
          <summary>People</summary>
          <input v-if="offers.people.length > many" type="search" v-model="personPart" placeholder="find a name" aria-label="Find a name">
          <ul class="filter-list">
            <li v-for="one in people" :key="one.name" class="filter-row">
              <label><input type="checkbox" :checked="value.people.includes(one.name)" @change="toggle('people', one.name, $event.target.checked)">
                <img v-if="one.face" :src="one.face" alt="" loading="lazy" decoding="async" class="filter-face">
                <span v-else class="filter-face"></span>
                <span class="filter-name">{{ one.name }}</span><span class="filter-count">{{ one.count }}</span></label>
            </li>
          </ul>
          <label v-if="value.people.length > 1" class="filter-switch">
            <input type="checkbox" :checked="value.any_person" @change="send({any_person: $event.target.checked})"> one of them is enough</label>
        </details>
        <p v-if="offers.waiting" class="filter-wait">Counting dates, places and folders…</p>
        <details open v-if="offers.months.length">
          <summary>Dates</summary>
          <svg class="histogram" ref="histogram" :viewBox="'0 0 ' + bars.length + ' 40'" preserveAspectRatio="none" role="img"
            aria-label="photos of each month" @pointerdown="startDrag" @pointermove="drag" @pointerup="endDrag" @pointercancel="dragged = null">
            <rect v-for="(bar, n) in bars" :key="bar.month" :x="n + 0.08" :y="40 - bar.height" width="0.84" :height="bar.height"
              :class="{inside: isInside(n)}"><title>{{ bar.month }}: {{ bar.count }}</title></rect>
          </svg>
          <div class="histogram-ends"><span>{{ bars[0].month }}</span><span>{{ dragLabel }}</span><span>{{ bars.at(-1).month }}</span></div>
          <div class="filter-dates" data-fields="after before">
            <label>from <input type="text" :value="value.after" placeholder="2023-05" @change="send({after: $event.target.value.trim()})"></label>
            <label>before <input type="text" :value="value.before" placeholder="2024" @change="send({before: $event.target.value.trim()})"></label>
          </div>
        </details>
        <details :open="value.places.length > 0 || undefined" v-if="offers.places.length" data-fields="places">
          <summary>Places</summary>
          <ul class="filter-list filter-tree">
            <tree-node v-for="node in offers.places" :key="node.value" :node="node" :selected="value.places" :depth="0" inside="Places"
              @toggle="(...change) => toggle('places', ...change)"></tree-node>
          </ul>
        </details>
        <details v-if="offers.cameras.length" :open="value.cameras.length > 0 || undefined" data-fields="cameras">
          <summary>Camera</summary>
          <ul class="filter-list">
            <li v-for="one in offers.cameras" :key="one.name" class="filter-row">
              <label><input type="radio" name="camera" :checked="value.cameras.includes(one.name)" @click="toggleOnly('cameras', one.name)">
                <span class="filter-name">{{ one.name }}</span><span class="filter-count">{{ one.count }}</span></label>
            </li>
          </ul>
        </details>
        <div class="filter-field" v-if="offers.trips.length" data-fields="trips">
          <label for="filter-trip">Trip</label>
          <select id="filter-trip" :value="value.trips[0] ?? ''" @change="send({trips: $event.target.value ? [$event.target.value] : []})">
            <option value="">any</option>
            <option v-for="one in offers.trips" :key="one.name" :value="one.name">{{ one.name }} ({{ one.count }})</option>
          </select>
        </div>
        <details v-if="offers.folders.length" :open="value.folder !== '' || undefined" data-fields="folder">
          <summary>Folder</summary>
          <ul class="filter-list filter-tree">
            <tree-node v-for="node in offers.folders" :key="node.value" :node="node" :selected="[value.folder]" :depth="0" inside="Folders"
              @toggle="(folder, isChosen) => send({folder: isChosen ? folder : ''})"></tree-node>
          </ul>
        </details>
        <div class="filter-field" data-fields="rating">
          <label for="filter-rating">Rating</label>
          <select id="filter-rating" :value="value.rating ?? ''" @change="send({rating: $event.target.value || null})">
            <option value="">any</option>
            <option v-for="stars in [1, 2, 3, 4, 5]" :key="stars" :value="stars">{{ "★".repeat(stars) }}{{ stars < 5 ? " or more" : "" }}</option>
          </select>
        </div>
        <details :open="value.strategy !== 'filter' || value.min_fit !== null || value.min_score !== null || undefined">
          <summary>How to search</summary>
          <div class="filter-field" data-fields="strategy">
            <label for="filter-strategy">Strategy</label>
            <select id="filter-strategy" :value="value.strategy" @change="send({strategy: $event.target.value})">
              <option value="filter">names and dates must match</option>
              <option value="union">one of them is enough</option>
              <option value="hybrid">words and pictures together</option>
              <option value="semantic">pictures alone</option>
            </select>
          </div>
          <div class="filter-field" data-fields="min_fit">
            <label for="filter-fit">Minimum fit</label>
            <input id="filter-fit" type="range" min="0" max="1" step="0.05" :value="value.min_fit ?? 0"
              @change="send({min_fit: Number($event.target.value) || null})">
            <output>{{ value.min_fit === null ? "none" : value.min_fit.toFixed(2) }}</output>
          </div>
          <div class="filter-field" data-fields="min_score">
            <label for="filter-score">Minimum score</label>
            <input id="filter-score" type="number" step="any" placeholder="none" :value="value.min_score"
              @change="send({min_score: $event.target.value || null})">
          </div>
        </details>
        <label class="filter-switch" data-fields="collapse"><input type="checkbox" :checked="value.collapse"
          @change="send({collapse: $event.target.checked})"> One photo of each burst</label>
      </template>
    </aside>
  `,
  props: { shown: Boolean, offers: Object, value: Object },
  emits: ["change", "close"],
  data() {
    return { personPart: "", dragged: null, many: MANY };
  },
  computed: {
    people() {
      const part = this.personPart.trim().toLocaleLowerCase();
      return part ? this.offers.people.filter((one) => one.name.toLocaleLowerCase().includes(part)) : this.offers.people;
    },
    bars() {
      const counts = new Map(this.offers.months.map((one) => [one.month, one.count]));
      const all = [...counts.keys()];
      const [first, last] = [all[0], all.at(-1)];
      const bars = [];
      let [year, month] = first.split("-").map(Number);
      for (let n = 0; n < 2400; n += 1) {
        const name = formatMonth(year, month);
        bars.push({ month: name, count: counts.get(name) ?? 0 });
        if (name === last) break;
        month += 1;
        if (month > 12) [year, month] = [year + 1, 1];
      }
      const most = Math.max(...bars.map((bar) => bar.count));
      for (const bar of bars) bar.height = bar.count ? Math.max(2, (40 * bar.count) / most) : 0;
      return bars;
    },
    range() {
      // the bars that are selected: by dragging, or by the two dates
      if (this.dragged) return [...this.dragged].sort((a, b) => a - b);
      const { after, before } = this.value;
      if (!after && !before) return null;
      if ([after, before].some((date) => date && !DATE.test(date))) return NO_BARS; // such as "last summer"
      const find = (date) => {
        const found = this.bars.findIndex((bar) => bar.month >= date.slice(0, 7));
        return found < 0 ? this.bars.length : found;
      };
      return [after ? find(after) : 0, (before ? find(before) : this.bars.length) - 1];
    },
    dragLabel() {
      if (!this.dragged) return "";
      const [from, to] = this.range;
      return this.bars[from].month + " – " + this.bars[to].month;
    },
  },
  watch: {
    shown(isShown) {
      if (isShown) this.$nextTick(() => this.reachField() || this.$refs.close.focus());
    },
    offers() {
      this.$nextTick(this.reachField);
    },
  },
  methods: {
    send(changes) {
      this.$emit("change", changes);
    },
    // Move the focus to the field of a filter, which is shown when its offers have been loaded.
    focusField(name) {
      this.field = name;
      this.$nextTick(this.reachField);
    },
    reachField() {
      const field = this.shown && this.field && this.$el.querySelector('[data-fields~="' + this.field + '"]');
      if (!field) return false;
      this.field = "";
      for (let one = field; one !== this.$el; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
      (field.querySelector("input:checked") ?? field.querySelector("input, select")).focus();
      return true;
    },
    // Not the whole list: an earlier change may be on its way.
    toggle(field, name, isChosen) {
      this.send({ [field]: isChosen ? { add: name } : { remove: name } });
    },
    toggleOnly(field, name) {
      this.send({ [field]: this.value[field].includes(name) ? [] : [name] });
    },
    clear() {
      const lists = { people: [], without: [], places: [], cameras: [], trips: [] };
      const texts = { after: "", before: "", folder: "", sort: "", strategy: "" };
      this.send({ ...lists, ...texts, rating: null, max_rating: null, min_fit: null, min_score: null, any_person: null, collapse: null, has_gps: null });
    },
    // --- dragging over the histogram
    find(event) {
      return findBar(this.$refs.histogram, event, this.bars.length);
    },
    isInside(n) {
      return !this.range || (n >= this.range[0] && n <= this.range[1]);
    },
    startDrag(event) {
      this.$refs.histogram.setPointerCapture(event.pointerId);
      this.dragged = [this.find(event), this.find(event)];
    },
    drag(event) {
      if (this.dragged) this.dragged = [this.dragged[0], this.find(event)];
    },
    endDrag() {
      if (!this.dragged) return;
      const [from, to] = this.range;
      const [year, month] = this.bars[to].month.split("-").map(Number);
      const next = month === 12 ? [year + 1, 1] : [year, month + 1];
      const before = formatMonth(...next);
      this.dragged = null;
      this.send({ after: this.bars[from].month, before });
    },
  },
};
