// Photos by time: a bar for each year, month or day. Names are only ever text nodes and attributes.
import { RemedyLink } from "/static/remedy_link.js";
import { clamp, findBar, formatMonth, formatPhotos, loadJson } from "/static/shared.js";

const DAY = 864e5;
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
  "November", "December"];
const MANY_MONTHS = 48; // with more months, the first bars are years
const BAND_ROWS = 3;
const NAME_PIXELS = 48; // of a band that shows the name of its trip
const LABEL_PIXELS = 34; // between labels of bars

const toDay = (year, month, day) => {
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  return Math.round(date.getTime() / DAY);
};
const toDate = (day) => new Date(day * DAY);
const toText = (day) => toDate(day).toISOString().slice(0, 10);

export default {
  components: { RemedyLink },
  template: `
    <section class="photo-timeline" ref="all">
      <nav class="timeline-path" aria-label="time shown">
        <template v-for="(step, i) in path" :key="step.at">
          <span v-if="i" aria-hidden="true">›</span>
          <button v-if="i < path.length - 1" type="button" class="atlas-link" @click="open(step.at)">{{ step.name }}</button>
          <strong v-else>{{ step.name }}</strong>
        </template>
        <span class="timeline-total">{{ formatPhotos(total) }}{{ note }}</span>
      </nav>
      <p v-if="error" class="atlas-error" role="alert">{{ error }} <remedy-link :message="error" /></p>
      <div v-if="bars.length" class="timeline-scroll">
        <div class="timeline-chart" :style="{ minWidth: bars.length * 9 + 'px' }">
          <div v-if="bands.length" class="timeline-bands" :style="{ height: bandRows * 22 + 'px' }">
            <a v-for="band in bands" :key="band.key" class="timeline-band" :title="band.name"
              :href="'/?trip=' + encodeURIComponent(band.name)"
              :aria-label="'Trip: ' + band.name + ', ' + formatPhotos(band.photos)"
              :style="{ left: band.left + '%', width: band.width + '%', top: band.row * 22 + 'px' }">
              <span v-if="band.hasName">{{ band.name }}</span></a>
          </div>
          <div class="timeline-bars" role="group" :aria-label="barsLabel" ref="bars"
            @pointerdown="onDown" @pointermove="onMove" @pointerup="onUp" @pointercancel="cancel">
            <button v-for="(bar, i) in bars" :key="bar.at" type="button" class="timeline-bar" :data-index="i"
              :tabindex="i === active ? 0 : -1" :class="{ selected: isSelected(i), empty: !bar.count }"
              :aria-label="bar.name + ': ' + formatPhotos(bar.count)" :aria-pressed="String(isSelected(i))"
              :title="bar.name + ': ' + formatPhotos(bar.count)" @click="onClick($event, i)" @keydown="onKey($event, i)"
              @focus="active = i">
              <span class="timeline-column" aria-hidden="true"><span :style="{ height: bar.height + '%' }"></span></span>
              <span class="timeline-label" aria-hidden="true">{{ i % labelStep === 0 ? bar.label : "" }}</span>
            </button>
          </div>
        </div>
      </div>
      <p v-if="bars.length" class="timeline-help">Click a bar to look closer. Drag over bars, or hold Shift with ← →, to select a range.</p>
      <div class="timeline-bar-line" aria-live="polite">
        <strong v-if="range">{{ range.name }}</strong>
        <a v-if="range && range.count" class="atlas-action" :href="range.href">Search {{ formatPhotos(range.count) }}</a>
        <button v-if="selection" type="button" class="atlas-link" @click="clear">Clear the selection</button>
      </div>
      <div class="thumbnail-grid" v-if="photos.length">
        <a v-for="photo in photos" :key="photo.id" :href="'/photos/' + photo.id">
          <img :src="'/thumbnail/' + photo.id + '?size=256'" :alt="photo.alt" loading="lazy" decoding="async"></a>
      </div>
    </section>
  `,
  data() {
    return { days: null, at: "", active: 0, selection: null, photos: [], error: "", width: 800 };
  },
  computed: {
    level() {
      return { 0: "years", 4: "months" }[this.at.length] ?? (this.at === "months" ? "months" : "days");
    },
    limits() {
      // the first day shown, and the day after the last one
      const days = this.days?.days ?? [];
      if (!days.length) return [0, 0];
      const [first, last] = [toDate(days[0]), toDate(days[days.length - 1])];
      if (this.at === "") return [toDay(first.getUTCFullYear(), 0, 1), toDay(last.getUTCFullYear() + 1, 0, 1)];
      if (this.at === "months") {
        return [toDay(first.getUTCFullYear(), first.getUTCMonth(), 1), toDay(last.getUTCFullYear(), last.getUTCMonth() + 1, 1)];
      }
      const [year, month, day] = this.at.split("-").map(Number);
      if (day) return [toDay(year, month - 1, day), toDay(year, month - 1, day + 1)];
      return month ? [toDay(year, month - 1, 1), toDay(year, month, 1)] : [toDay(year, 0, 1), toDay(year + 1, 0, 1)];
    },
    // without this level, an album of two years would begin with two bars
    root() {
      const days = this.days?.days ?? [];
      if (!days.length) return "";
      const months = (day) => toDate(day).getUTCFullYear() * 12 + toDate(day).getUTCMonth();
      return months(days[days.length - 1]) - months(days[0]) < MANY_MONTHS ? "months" : "";
    },
    bars() {
      const [first, end] = this.days ? this.limits : [0, 0];
      const bars = [];
      for (let day = first; day < end; ) {
        const date = toDate(day);
        const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
        if (this.level === "years") bars.push({ first: day, end: toDay(year + 1, 0, 1), at: String(year), name: String(year), label: String(year) });
        else if (this.level === "months") {
          const label = month === 0 || (!bars.length && this.at === "months") ? String(year) : MONTHS[month].slice(0, 3);
          bars.push({ first: day, end: toDay(year, month + 1, 1), at: formatMonth(year, month + 1), name: MONTHS[month] + " " + year, label });
        } else {
          bars.push({ first: day, end: day + 1, at: toText(day), name: date.getUTCDate() + " " + MONTHS[month] + " " + year, label: String(date.getUTCDate()) });
        }
        day = bars[bars.length - 1].end;
      }
      const most = Math.max(1, ...bars.map((bar) => (bar.count = this.count(bar.first, bar.end))));
      for (const bar of bars) bar.height = bar.count ? Math.max(3, (100 * bar.count) / most) : 0;
      return bars;
    },
    barsLabel() {
      return "Photos by " + this.level.slice(0, -1) + ". Enter looks closer, Shift with arrows selects a range.";
    },
    labelStep() {
      return Math.max(1, Math.ceil((this.bars.length * LABEL_PIXELS) / Math.max(this.width, this.bars.length * 9)));
    },
    path() {
      const steps = [{ at: this.root, name: "All" }];
      if (this.at === "" || this.at === "months") return steps;
      const [year, month, day] = this.at.split("-");
      steps.push({ at: year, name: year });
      if (month) steps.push({ at: year + "-" + month, name: MONTHS[month - 1] });
      if (day) steps.push({ at: this.at, name: String(Number(day)) });
      return steps;
    },
    total() {
      return this.days ? this.count(...this.limits) : 0;
    },
    note() {
      const undated = this.days?.undated ?? 0;
      return undated && this.at === this.root ? "; " + undated.toLocaleString("en") + " without a date" : "";
    },
    range() {
      if (!this.days) return null;
      const [low, high] = this.selection ? [Math.min(...this.selection), Math.max(...this.selection)] : [0, 0];
      if (!this.selection && this.at.length < 5 && this.at !== "months" && this.at !== "") return this.makeRange(...this.limits, this.at);
      if (!this.selection) {
        const name = this.at === "" || this.at === "months" ? "All dates" : this.path.slice(1).map((step) => step.name).reverse().join(" ");
        return this.makeRange(...this.limits, name);
      }
      const [from, to] = [this.bars[low], this.bars[high]];
      return this.makeRange(from.first, to.end, low === high ? from.name : from.name + " to " + to.name);
    },
    bands() {
      const [first, end] = this.days ? this.limits : [0, 0];
      const ends = [];
      const bands = [];
      for (const [key, trip] of (this.days?.trips ?? []).entries()) {
        if (trip.last < first || trip.first >= end) continue;
        const left = this.place(Math.max(trip.first, first));
        const width = Math.max(0.6, this.place(Math.min(trip.last + 1, end)) - left);
        let row = ends.findIndex((taken) => taken <= left);
        if (row < 0) row = ends.length < BAND_ROWS ? ends.length : ends.indexOf(Math.min(...ends));
        ends[row] = left + width + 0.1;
        const hasName = (width / 100) * Math.max(this.width, this.bars.length * 9) > NAME_PIXELS;
        bands.push({ key, name: trip.name, photos: trip.photos, left, width, row, hasName });
      }
      return bands;
    },
    bandRows() {
      return Math.max(0, ...this.bands.map((band) => band.row + 1));
    },
  },
  async mounted() {
    this.resize = new ResizeObserver(() => (this.width = this.$refs.all.clientWidth));
    this.resize.observe(this.$refs.all);
    this.onHash = () => this.open(this.readAddress(), false);
    window.addEventListener("hashchange", this.onHash);
    try {
      const days = await loadJson("/timeline/days");
      this.sums = [0];
      for (const count of days.counts) this.sums.push(this.sums[this.sums.length - 1] + count);
      this.days = days;
      this.open(this.readAddress(), false);
    } catch (error) {
      this.error = error.message;
    }
  },
  beforeUnmount() {
    this.resize.disconnect();
    window.removeEventListener("hashchange", this.onHash);
  },
  methods: {
    formatPhotos,
    readAddress() {
      const at = window.location.hash.slice(1);
      const isValid = /^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$/.test(at);
      return isValid ? at : this.root;
    },
    open(at, isNew = true) {
      this.at = at;
      this.selection = null;
      this.anchor = null;
      this.active = Math.max(0, this.bars.findIndex((bar) => bar.count));
      if (isNew) window.history.pushState(window.history.state, "", at && at !== "months" ? "#" + at : window.location.pathname);
      this.showPhotos();
    },
    count(first, end) {
      const { days } = this.days;
      const find = (day) => {
        let [low, high] = [0, days.length];
        while (low < high) {
          const middle = (low + high) >> 1;
          if (days[middle] < day) low = middle + 1;
          else high = middle;
        }
        return low;
      };
      return this.sums[find(end)] - this.sums[find(first)];
    },
    makeRange(first, end, name) {
      const href = "/?after=" + toText(first) + "&before=" + toText(end);
      return { first, end, name, href, count: this.count(first, end) };
    },
    place(day) {
      // bars are equally wide, months are not equally long
      const index = this.bars.findIndex((bar) => day < bar.end);
      if (index < 0) return 100;
      const bar = this.bars[index];
      return (100 * (index + (day - bar.first) / (bar.end - bar.first))) / this.bars.length;
    },
    async showPhotos() {
      if (!this.range) return;
      const address = ["/timeline/photos", this.range.first, this.range.end].join("/");
      this.requested = address;
      try {
        const photos = this.range.count ? await loadJson(address) : [];
        if (address === this.requested) this.photos = photos;
      } catch (error) {
        this.error = error.message;
      }
    },
    // --- selection
    isSelected(index) {
      return this.selection !== null && index >= Math.min(...this.selection) && index <= Math.max(...this.selection);
    },
    select(from, to) {
      this.selection = [from, to];
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.showPhotos(), 150);
    },
    clear() {
      this.selection = null;
      this.anchor = null;
      this.showPhotos();
    },
    onClick(event, index) {
      if (this.hasDragged) {
        this.hasDragged = false;
        return;
      }
      if (event.shiftKey) {
        this.anchor ??= this.active;
        this.select(this.anchor, index);
      } else if (this.level === "days") {
        this.anchor = index;
        this.select(index, index);
      } else {
        this.open(this.bars[index].at);
        this.$nextTick(() => this.focus(this.active));
      }
    },
    onKey(event, index) {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step || event.key === "Home" || event.key === "End") {
        const target = step ? index + step : event.key === "Home" ? 0 : this.bars.length - 1;
        const next = clamp(target, 0, this.bars.length - 1);
        if (event.shiftKey) {
          this.anchor ??= index;
          this.select(this.anchor, next);
        } else {
          this.anchor = null;
        }
        this.focus(next);
      } else if (event.key === "Escape" && this.selection) this.clear();
      else if ((event.key === "Escape" || event.key === "Backspace") && this.path.length > 1) this.open(this.path[this.path.length - 2].at);
      else return;
      event.preventDefault();
    },
    focus(index) {
      this.active = index;
      this.$nextTick(() => this.$refs.bars?.querySelector('[data-index="' + index + '"]')?.focus());
    },
    // --- dragging
    find(event) {
      return findBar(this.$refs.bars, event, this.bars.length);
    },
    onDown(event) {
      this.hasDragged = false;
      if (event.button || event.shiftKey) return;
      this.dragged = { from: this.find(event), x: event.clientX, id: event.pointerId };
    },
    onMove(event) {
      if (!this.dragged || Math.abs(event.clientX - this.dragged.x) < 6) return;
      if (!this.hasDragged) this.$refs.bars.setPointerCapture(this.dragged.id);
      this.hasDragged = true;
      this.anchor = this.dragged.from;
      this.select(this.dragged.from, this.find(event));
    },
    onUp() {
      this.dragged = null;
      // a click may follow, on a bar or on all of them; it is none
      if (this.hasDragged) setTimeout(() => (this.hasDragged = false), 0);
    },
    cancel() {
      this.dragged = null;
      this.hasDragged = false;
    },
  },
};
