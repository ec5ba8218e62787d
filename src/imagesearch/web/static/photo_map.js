// A map of photos on a canvas. Positions are loaded once and clustered here; shapes are loaded for each zoom level.
// Names are only ever text nodes and attributes.
import { RemedyLink } from "/static/remedy_link.js";
import { clamp, formatPhotos, loadJson } from "/static/shared.js";

const TILE = 256;
const CELL = 30; // pixels; positions are counted in cells, and cells are joined
const RADIUS = 46; // pixels that a cell can be from the fullest cell of its cluster
const MARGIN = 80; // pixels around all photos
const SHOWN = 12;
const EARTH_KM = 6371;
const MAX_KM = 20038; // of a search: half the circumference of the Earth
const WHEEL_PER_LEVEL = 240;
const TILES_IN_MEMORY = 400;
const TAP = 8; // pixels that a finger moves in a tap

const mercator = (latitude) => {
  const clipped = Math.min(85.05, Math.max(-85.05, latitude));
  return 0.5 - Math.asinh(Math.tan((clipped * Math.PI) / 180)) / (2 * Math.PI);
};
const toLatitude = (y) => (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;
const toX = (longitude) => (longitude + 180) / 360;
const wrap = (longitude) => ((((longitude + 180) % 360) + 360) % 360) - 180;

function decode(text, type) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new type(bytes.buffer);
}

function measureKm(lat1, lon1, lat2, lon2) {
  const radians = Math.PI / 180;
  const a =
    Math.sin(((lat2 - lat1) * radians) / 2) ** 2 +
    Math.cos(lat1 * radians) * Math.cos(lat2 * radians) * Math.sin(((lon2 - lon1) * radians) / 2) ** 2;
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(a)));
}

const formatKm = (km) => (km < 10 ? String(km) : km.toLocaleString("en"));

export default {
  components: { RemedyLink },
  template: `
    <section class="photo-map">
      <div class="map-view" ref="view" tabindex="0" role="application" aria-label="Map of the photos. Arrows move it,
        plus and minus zoom, 0 shows all photos." :class="{ moving: isMoving }"
        @keydown="onKey" @wheel.prevent="onWheel" @pointerdown="onDown" @pointermove="onMove" @pointerup="onUp"
        @pointercancel="onUp" @dblclick="onDouble">
        <canvas ref="canvas" aria-hidden="true"></canvas>
        <button v-for="cluster in shown" :key="cluster.key" type="button" class="map-cluster"
          :class="{ chosen: chosen && chosen.key === cluster.key }"
          :style="{ width: cluster.size + 'px', height: cluster.size + 'px',
            transform: 'translate(' + (cluster.x - cluster.size / 2) + 'px,' + (cluster.y - cluster.size / 2) + 'px)' }"
          :aria-label="formatPhotos(cluster.count) + (cluster.city ? ', ' + cluster.city : '')"
          :data-count="cluster.count" @click.stop="choose(cluster)" @keydown.enter.stop @keydown.space.stop>
          <span aria-hidden="true">{{ cluster.short }}</span>
          <span v-if="cluster.label" class="map-city" aria-hidden="true">{{ cluster.label }}</span>
        </button>
        <div class="map-tools">
          <button type="button" aria-label="Zoom in" @click="zoomBy(1)">+</button>
          <button type="button" aria-label="Zoom out" @click="zoomBy(-1)">−</button>
          <button type="button" aria-label="Show all photos" @click="fit()">⤢</button>
        </div>
        <p class="map-source">{{ attribution }}</p>
      </div>
      <p v-if="error" class="atlas-error" role="alert">{{ error }} <remedy-link :message="error" /></p>
      <div class="map-bar">
        <p class="map-summary" aria-live="polite">{{ summary }}</p>
        <a v-if="area" class="atlas-action" :href="area.href">
          Search {{ formatPhotos(area.count) }} within {{ formatKm(area.km) }} km</a>
      </div>
      <aside v-if="chosen" class="map-panel" role="dialog" aria-label="photos of this place" ref="panel" tabindex="-1"
        @keydown.esc="close">
        <header>
          <h2>{{ formatPhotos(chosen.count) }}<template v-if="chosen.city"> · {{ chosen.city }}</template></h2>
          <button type="button" class="panel-close" aria-label="Close" @click="close">✕</button>
        </header>
        <div class="thumbnail-row">
          <a v-for="photo in chosen.photos" :key="photo.id" :href="'/photos/' + photo.id">
            <img :src="'/thumbnail/' + photo.id + '?size=256'" :alt="photo.alt" loading="lazy" decoding="async"></a>
        </div>
        <nav class="panel-links" aria-label="searches">
          <a class="atlas-action" :href="chosen.href">Search within {{ formatKm(chosen.km) }} km</a>
          <a v-for="city in chosen.cities" :key="city.name" class="atlas-link"
            :href="'/?place=' + encodeURIComponent(city.name)">{{ city.name }} · {{ city.count.toLocaleString("en") }}</a>
          <button type="button" v-if="zoom < maxZoom" class="atlas-link" @click="zoomInto(chosen)">Zoom in</button>
        </nav>
      </aside>
    </section>
  `,
  props: { attribution: String, maxZoom: Number, tiles: String },
  data() {
    return { x: 0.5, y: 0.4, zoom: 1, shown: [], chosen: null, area: null, summary: "", error: "", isMoving: false };
  },
  created() {
    // not reactive: large, and read in each frame
    this.photos = null;
    this.levels = new Map();
    this.shapes = null;
    this.pointers = new Map();
    this.tileImages = new Map();
    this.waiting = null; // the finger on a cluster that may be a tap
  },
  mounted() {
    this.resize = new ResizeObserver(() => this.measure());
    this.resize.observe(this.$refs.view);
    this.scheme = window.matchMedia("(prefers-color-scheme: dark)");
    this.onScheme = () => this.redraw();
    this.scheme.addEventListener("change", this.onScheme);
    this.measure();
    this.loadPhotos();
  },
  beforeUnmount() {
    this.resize.disconnect();
    this.scheme.removeEventListener("change", this.onScheme);
    clearTimeout(this.settling);
  },
  methods: {
    formatPhotos,
    formatKm,
    // --- data
    async loadPhotos() {
      try {
        const packed = await loadJson("/map/positions");
        const ids = decode(packed.ids, BigUint64Array);
        this.photos = {
          all: packed.photos,
          count: ids.length,
          ids,
          places: decode(packed.positions, Float32Array),
          city: decode(packed.city, Uint32Array),
          cities: packed.cities,
        };
      } catch (error) {
        this.error = error.message;
        return;
      }
      const { count, places } = this.photos;
      this.xs = new Float64Array(count);
      this.ys = new Float64Array(count);
      for (let i = 0; i < count; i++) {
        this.xs[i] = toX(places[2 * i]);
        this.ys[i] = mercator(places[2 * i + 1]);
      }
      if (!this.readAddress()) this.fit();
      this.redraw();
    },
    readAddress() {
      const numbers = window.location.hash.slice(1).split(",").map(Number);
      if (numbers.length !== 3 || !numbers.every(Number.isFinite)) return false;
      [this.y, this.x] = [mercator(numbers[0]), toX(numbers[1])];
      this.zoom = clamp(numbers[2], this.minZoom(), this.maxZoom);
      return true;
    },
    writeAddress() {
      const numbers = [toLatitude(this.y).toFixed(5), wrap(this.x * 360 - 180).toFixed(5), this.zoom.toFixed(2)];
      window.history.replaceState(window.history.state, "", "#" + numbers.join(","));
    },
    // --- the view
    measure() {
      const { clientWidth, clientHeight } = this.$refs.view;
      [this.width, this.height] = [clientWidth, clientHeight];
      const scale = window.devicePixelRatio || 1;
      this.$refs.canvas.width = clientWidth * scale;
      this.$refs.canvas.height = clientHeight * scale;
      this.zoom = Math.max(this.zoom, this.minZoom());
      this.redraw();
    },
    minZoom() {
      return Math.max(0, Math.log2((this.width || 512) / TILE)); // the world is at least as wide as the view
    },
    world() {
      return TILE * 2 ** this.zoom;
    },
    fit() {
      if (!this.photos?.count) return;
      // the edge of the view is in the widest gap between two longitudes
      const sorted = Float64Array.from(this.xs).sort();
      let [gap, start] = [sorted[0] + 1 - sorted[sorted.length - 1], sorted[0]];
      for (let i = 1; i < sorted.length; i++) {
        if (sorted[i] - sorted[i - 1] > gap) [gap, start] = [sorted[i] - sorted[i - 1], sorted[i]];
      }
      const width = 1 - gap;
      let [top, bottom] = [1, 0];
      for (const y of this.ys) [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      this.show(start + width / 2, (top + bottom) / 2, width, bottom - top, 13);
    },
    show(x, y, width, height, most) {
      const space = (pixels) => Math.max(60, pixels - 2 * MARGIN) / TILE;
      const zoom = Math.min(Math.log2(space(this.width) / width), Math.log2(space(this.height) / height));
      [this.x, this.y] = [x, y];
      this.zoom = clamp(zoom, this.minZoom(), Math.min(most, this.maxZoom));
      this.redraw();
    },
    zoomBy(levels, at = [this.width / 2, this.height / 2]) {
      const before = this.world();
      this.zoom = clamp(this.zoom + levels, this.minZoom(), this.maxZoom);
      const change = 1 / before - 1 / this.world(); // what is below the pointer stays there
      this.x += (at[0] - this.width / 2) * change;
      this.y += (at[1] - this.height / 2) * change;
      this.redraw();
    },
    moveBy(right, down) {
      this.x += right / this.world();
      this.y += down / this.world();
      this.redraw();
    },
    redraw() {
      if (!this.width) return;
      this.x -= Math.floor(this.x);
      const half = Math.min(0.5, this.height / 2 / this.world());
      this.y = clamp(this.y, half, 1 - half);
      if (!this.frame) this.frame = requestAnimationFrame(() => this.drawFrame());
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.settle(), 180);
    },
    drawFrame() {
      this.frame = 0;
      if (!this.$refs.canvas) return;
      this.requestShapes();
      this.drawShapes();
      if (this.tiles && (this.photos || this.error)) this.drawTiles(); // by then the view is known
      if (this.photos) this.placeClusters();
    },
    settle() {
      if (!this.photos) return;
      this.describeView();
      this.writeAddress();
    },
    // --- shapes
    requestShapes() {
      const zoom = clamp(Math.round(this.zoom), 0, this.maxZoom);
      const tiles = 2 ** zoom;
      const span = (centre, pixels) => {
        const half = pixels / 2 / this.world();
        return [(centre - half) * tiles, (centre + half) * tiles].map((value) => Math.floor(value / 2) * 2);
      };
      // pairs of tiles, with a margin: a small move needs no new shapes
      let [left, right] = span(this.x, this.width);
      let [top, bottom] = span(this.y, this.height);
      [left, right, top, bottom] = [left - 1, right + 2, Math.max(0, top - 1), Math.min(tiles - 1, bottom + 2)];
      const isWorld = right - left >= tiles - 1; // then it is drawn beside itself too
      [left, right] = isWorld ? [0, tiles - 1] : [Math.max(left, -tiles), Math.min(right, 2 * tiles - 1)];
      const address = ["/map/shapes", zoom, left, right, top, bottom].join("/");
      if (address === this.requested) return;
      this.requested = address;
      loadJson(address)
        .then((content) => {
          if (address !== this.requested) return; // a later view was requested since
          this.shapes = this.makePaths(content);
          this.turns = isWorld ? [-1, 0, 1] : [0];
          this.redraw();
        })
        .catch((error) => (this.error = error.message));
    },
    makePaths(content) {
      const join = (lines, close) => {
        const path = new Path2D();
        for (const line of lines) {
          for (let i = 0; i < line.length; i += 2) {
            const [x, y] = [toX(line[i]), mercator(line[i + 1])];
            if (i) path.lineTo(x, y);
            else path.moveTo(x, y);
          }
          if (close) path.closePath();
        }
        return path;
      };
      return {
        land: join(content.land, true),
        water: join(content.water, true),
        coasts: join(content.coasts, false),
        borders: join(content.borders, false),
      };
    },
    drawShapes() {
      const context = this.$refs.canvas.getContext("2d");
      const style = getComputedStyle(this.$refs.view);
      const colour = (name) => style.getPropertyValue("--map-" + name).trim();
      const scale = window.devicePixelRatio || 1;
      const world = this.world();
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.fillStyle = colour("water");
      context.fillRect(0, 0, this.$refs.canvas.width, this.$refs.canvas.height);
      if (!this.shapes) return;
      const size = world * scale;
      for (const turn of this.turns) {
        const [left, top] = [this.width / 2 - (this.x - turn) * world, this.height / 2 - this.y * world];
        if (this.turns.length > 1 && (left > this.width || left + world < 0)) continue;
        context.setTransform(size, 0, 0, size, left * scale, top * scale);
        context.fillStyle = colour("land");
        context.fill(this.shapes.land);
        context.lineWidth = 0.9 / world;
        context.save();
        context.clip(this.shapes.land); // borders continue into the sea
        context.strokeStyle = colour("border");
        context.stroke(this.shapes.borders);
        context.restore();
        context.fillStyle = colour("water");
        context.fill(this.shapes.water);
        context.strokeStyle = colour("coast");
        context.stroke(this.shapes.coasts);
      }
    },
    // --- tiles of another server; where one is missing, the shapes are seen
    drawTiles() {
      const context = this.$refs.canvas.getContext("2d");
      const zoom = clamp(Math.round(this.zoom), 0, this.maxZoom);
      const tiles = 2 ** zoom;
      const size = this.world() / tiles;
      const [left, top] = [this.x * tiles - this.width / 2 / size, this.y * tiles - this.height / 2 / size];
      const scale = window.devicePixelRatio || 1;
      context.setTransform(scale, 0, 0, scale, 0, 0);
      for (let row = Math.max(0, Math.floor(top)); row < Math.min(tiles, top + this.height / size); row++) {
        for (let column = Math.floor(left); column < left + this.width / size; column++) {
          const image = this.loadTile(zoom, ((column % tiles) + tiles) % tiles, row);
          const [x, y] = [Math.round((column - left) * size), Math.round((row - top) * size)];
          const [right, bottom] = [Math.round((column + 1 - left) * size), Math.round((row + 1 - top) * size)];
          if (image.naturalWidth) context.drawImage(image, x, y, right - x, bottom - y);
        }
      }
    },
    loadTile(zoom, column, row) {
      const address = this.tiles.replaceAll("{z}", zoom).replaceAll("{x}", column).replaceAll("{y}", row);
      let image = this.tileImages.get(address);
      if (!image) {
        if (this.tileImages.size >= TILES_IN_MEMORY) this.tileImages.delete(this.tileImages.keys().next().value);
        image = new Image();
        image.onload = () => this.redraw();
        image.src = address;
      }
      this.tileImages.delete(address); // the last ones in the map are those drawn last
      this.tileImages.set(address, image);
      return image;
    },
    // --- clusters
    findClusters(level) {
      if (!this.levels.has(level)) this.levels.set(level, this.makeClusters(level));
      return this.levels.get(level);
    },
    makeClusters(level) {
      const scale = (TILE * 2 ** level) / CELL;
      const columns = Math.ceil(scale) + 1;
      const cells = new Map();
      for (let i = 0; i < this.photos.count; i++) {
        const [column, row] = [Math.floor(this.xs[i] * scale), Math.floor(this.ys[i] * scale)];
        const key = row * columns + column;
        let cell = cells.get(key);
        if (!cell) cells.set(key, (cell = { column, row, x: 0, y: 0, members: [] }));
        cell.x += this.xs[i];
        cell.y += this.ys[i];
        cell.members.push(i);
      }
      const sorted = [...cells.values()].sort((a, b) => b.members.length - a.members.length);
      for (const cell of sorted) {
        cell.x /= cell.members.length;
        cell.y /= cell.members.length;
      }
      const clusters = [];
      for (const cell of sorted) {
        if (cell.taken) continue;
        const joined = [];
        for (let row = cell.row - 2; row <= cell.row + 2; row++) {
          for (let column = cell.column - 2; column <= cell.column + 2; column++) {
            const other = cells.get(row * columns + column);
            if (!other || other.taken || Math.abs(other.column - cell.column) > 2) continue;
            if (Math.hypot(other.x - cell.x, other.y - cell.y) * scale * CELL > RADIUS) continue;
            other.taken = true;
            joined.push(other);
          }
        }
        const members = joined.flatMap((one) => one.members);
        const mean = (name) => joined.reduce((sum, one) => sum + one[name] * one.members.length, 0) / members.length;
        const city = this.nameCities(this.countCities(members));
        clusters.push({ key: level + "/" + members[0], x: mean("x"), y: mean("y"), members, city });
      }
      return clusters;
    },
    nameCities(cities) {
      // one name, and how many others there are: the count beside it is that of all
      return cities.length > 1 ? cities[0].name + " +" + (cities.length - 1) : (cities[0]?.name ?? "");
    },
    countCities(members) {
      const counts = new Map();
      for (const i of members) counts.set(this.photos.city[i], (counts.get(this.photos.city[i]) ?? 0) + 1);
      return [...counts]
        .map(([number, count]) => ({ name: this.photos.cities[number], count }))
        .filter((city) => city.name)
        .sort((a, b) => b.count - a.count);
    },
    placeClusters() {
      const world = this.world();
      const shown = [];
      for (const cluster of this.findClusters(Math.round(this.zoom))) {
        const y = (cluster.y - this.y) * world + this.height / 2;
        if (y < -30 || y > this.height + 30) continue;
        let offset = cluster.x - this.x;
        offset -= Math.round(offset); // a view can cross the 180th meridian
        const x = offset * world + this.width / 2;
        if (x < -30 || x > this.width + 30) continue;
        const count = cluster.members.length;
        const size = Math.round(26 + 9 * Math.log10(count));
        const short = count < 10000 ? String(count) : Math.round(count / 1000) + "k";
        shown.push({ key: cluster.key, x, y, size, count, short, city: cluster.city, label: "", cluster });
      }
      this.labelClusters(shown);
      this.shown = shown;
    },
    labelClusters(shown) {
      // a name is shown where it meets no other circle or name
      const boxes = shown.map((one) => [one.x - one.size / 2, one.y - one.size / 2, one.x + one.size / 2, one.y + one.size / 2]);
      for (const one of [...shown].sort((a, b) => b.count - a.count)) {
        const half = Math.min(one.city.length, 24) * 3.4 + 4;
        const top = one.y + one.size / 2;
        const box = [one.x - half, top, one.x + half, top + 16];
        if (!one.city || boxes.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] + 1 < other[3] && box[3] > other[1] + 1)) continue;
        boxes.push(box);
        one.label = one.city.length > 24 ? one.city.slice(0, 18) + "…" + (one.city.match(/ \+\d+$/)?.[0] ?? "") : one.city;
      }
    },
    // --- what is in the view
    listVisible() {
      const world = this.world();
      const [halfWidth, halfHeight] = [this.width / 2 / world, this.height / 2 / world];
      const members = [];
      for (let i = 0; i < this.photos.count; i++) {
        let x = this.xs[i] - this.x;
        x -= Math.round(x);
        if (Math.abs(x) <= halfWidth && Math.abs(this.ys[i] - this.y) <= halfHeight) members.push(i);
      }
      return members;
    },
    describeView() {
      const { all, count } = this.photos;
      const members = this.listVisible();
      const without = all - count ? "; " + (all - count).toLocaleString("en") + " without a position" : "";
      if (!count) this.summary = all ? "No photo has a position" : "There are no photos yet";
      else this.summary = members.length.toLocaleString("en") + " of " + formatPhotos(count) + " in this view" + without;
      this.area = members.length ? this.makeCircle(members) : null;
    },
    makeCircle(members) {
      // the smallest circle around the middle of some photos, and all photos in it
      const { places, count } = this.photos;
      const first = places[2 * members[0]];
      let [west, east, south, north] = [0, 0, 90, -90];
      for (const i of members) {
        const offset = wrap(places[2 * i] - first);
        [west, east] = [Math.min(west, offset), Math.max(east, offset)];
        [south, north] = [Math.min(south, places[2 * i + 1]), Math.max(north, places[2 * i + 1])];
      }
      const latitude = Number(((south + north) / 2).toFixed(5));
      const longitude = Number(wrap(first + (west + east) / 2).toFixed(5));
      let km = 0;
      for (const i of members) km = Math.max(km, measureKm(latitude, longitude, places[2 * i + 1], places[2 * i]));
      km = km < 10 ? Math.max(0.1, Math.ceil(km * 10 + 0.1) / 10) : Math.min(MAX_KM, Math.ceil(km + 0.1));
      let inside = 0;
      for (let i = 0; i < count; i++) inside += measureKm(latitude, longitude, places[2 * i + 1], places[2 * i]) <= km;
      const href = "/?near=" + encodeURIComponent(latitude + "," + longitude) + "&radius=" + km;
      return { latitude, longitude, km, count: inside, href };
    },
    // --- one cluster
    choose(shown) {
      const members = [...shown.cluster.members].sort((a, b) => a - b);
      const photos = members.slice(0, SHOWN).map((i) => {
        return { id: this.photos.ids[i].toString(16).padStart(16, "0"), alt: "photo" };
      });
      const cities = this.countCities(members).slice(0, 4);
      this.opener = document.activeElement;
      this.chosen = { ...this.makeCircle(members), key: shown.key, count: members.length, city: shown.city, photos, cities, members };
      this.$nextTick(() => this.$refs.panel.focus());
      this.loadTexts(this.chosen);
    },
    async loadTexts(chosen) {
      try {
        const texts = await loadJson("/map/texts/" + chosen.photos.map((photo) => photo.id).join(","));
        const photos = chosen.photos.map((photo) => ({ ...photo, alt: texts[photo.id] ?? photo.alt }));
        if (this.chosen?.key === chosen.key) this.chosen = { ...this.chosen, photos };
      } catch (error) {
        this.error = error.message;
      }
    },
    close() {
      this.chosen = null;
      (this.opener?.isConnected ? this.opener : this.$refs.view).focus();
    },
    zoomInto(chosen) {
      let [west, east, top, bottom] = [0, 0, 1, 0];
      const first = this.xs[chosen.members[0]];
      for (const i of chosen.members) {
        let offset = this.xs[i] - first;
        offset -= Math.round(offset);
        [west, east] = [Math.min(west, offset), Math.max(east, offset)];
        [top, bottom] = [Math.min(top, this.ys[i]), Math.max(bottom, this.ys[i])];
      }
      this.close();
      this.show(first + (west + east) / 2, (top + bottom) / 2, east - west, bottom - top, Math.max(13, this.zoom + 2));
    },
    // --- keys and pointers
    onKey(event) {
      const step = 90;
      const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (moves[event.key]) this.moveBy(...moves[event.key]);
      else if (event.key === "+" || event.key === "=") this.zoomBy(1);
      else if (event.key === "-") this.zoomBy(-1);
      else if (event.key === "0" || event.key === "Home") this.fit();
      else return;
      event.preventDefault();
    },
    locate(event) {
      const box = this.$refs.view.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    },
    onWheel(event) {
      const pixels = event.deltaMode === 1 ? event.deltaY * 33 : event.deltaY;
      this.zoomBy(clamp(-pixels / WHEEL_PER_LEVEL, -1, 1) * (event.ctrlKey ? 3 : 1), this.locate(event));
    },
    onDouble(event) {
      if (event.target === this.$refs.canvas) this.zoomBy(1, this.locate(event));
    },
    onDown(event) {
      const isOnCluster = event.pointerType === "touch" && event.target.closest(".map-cluster");
      if ((event.target !== this.$refs.canvas && !isOnCluster) || event.button) return;
      this.pointers.set(event.pointerId, this.locate(event));
      // a tap on a cluster chooses it; a finger that moves, or a second one, moves the map
      if (isOnCluster && this.pointers.size === 1) this.waiting = event.pointerId;
      else for (const id of this.pointers.keys()) this.capture(id);
    },
    capture(id) {
      this.$refs.view.setPointerCapture(id);
      if (this.waiting === id) this.waiting = null;
      this.isMoving = true;
    },
    onMove(event) {
      const before = this.pointers.get(event.pointerId);
      if (!before) return;
      const now = this.locate(event);
      if (this.waiting === event.pointerId) {
        if (Math.hypot(now[0] - before[0], now[1] - before[1]) < TAP) return;
        this.capture(event.pointerId);
      }
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
      this.pointers.set(event.pointerId, now);
      if (!other) {
        this.moveBy(before[0] - now[0], before[1] - now[1]);
        return;
      }
      const distance = (point) => Math.max(10, Math.hypot(point[0] - other[0], point[1] - other[1]));
      this.moveBy((before[0] - now[0]) / 2, (before[1] - now[1]) / 2);
      this.zoomBy(Math.log2(distance(now) / distance(before)), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]);
    },
    onUp(event) {
      this.pointers.delete(event.pointerId);
      if (this.waiting === event.pointerId) this.waiting = null;
      this.isMoving = this.pointers.size > 0 && this.waiting === null;
    },
  },
};
