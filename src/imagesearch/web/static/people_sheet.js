// Cards of people. A card is dragged on another one, or several are selected, to merge them.
import { NameField } from "/static/name_field.js";

export default {
  components: { NameField },
  props: { cards: Array, names: Array, rest: Number, revision: Number, find: String, showsAll: Boolean },
  emits: ["rename", "merge", "more", "filter"],
  template: `
    <div>
      <div class="people-tools">
        <input class="people-find" type="search" v-model="text" aria-label="Find a person" placeholder="Find a person"
          dir="auto" @input="filterSoon" />
        <label class="people-all"><input type="checkbox" v-model="all" @change="filterNow" /> also seen once</label>
        <span class="people-merge" v-if="selected.length">
          <span role="status">{{ selected.length }} selected</span>
          <button type="button" class="button is-primary" :disabled="selected.length < 2" @click="merge(selected)">Merge</button>
          <button type="button" class="quiet-button" @click="selected = []">Clear</button>
        </span>
      </div>
      <p class="empty-note" v-if="!cards.length">Nobody to show.</p>
      <ul class="cards">
        <li v-for="card in cards" :key="card.key" class="card" :data-number="card.number"
          :class="{ 'is-over': over === card.key, 'is-selected': isSelected(card), 'is-dragged': dragged === card.key }"
          draggable="true"
          @dragstart="onDrag($event, card)" @dragend="dragged = over = null"
          @dragover="onOver($event, card)" @dragleave="onLeave($event, card)" @drop.prevent="onDrop(card)">
          <a class="card-faces" :href="card.href" :aria-label="card.title" draggable="false"
            :class="'has-' + card.faces.length">
            <img v-for="(face, index) in card.faces" :key="face" :src="face" :alt="index ? '' : card.title"
              loading="lazy" draggable="false" />
          </a>
          <div class="card-line">
            <name-field :names="names" :value="card.name" :revision="revision" hint="Who is this?" :label="card.name ? 'Name of ' + card.name : 'Name of ' + card.label"
              @take="rename(card, $event)" />
            <input class="card-check" type="checkbox" :checked="isSelected(card)" :aria-label="'select ' + card.label"
              @change="toggle(card)" />
          </div>
          <div class="card-counts"><span>{{ card.photos }}</span><span>{{ card.number }}</span></div>
        </li>
      </ul>
      <button v-if="rest" type="button" class="button people-more" @click="$emit('more')">Show more ({{ rest }})</button>
    </div>
  `,
  data() {
    return { text: this.find || "", all: !!this.showsAll, selected: [], dragged: null, over: null, timer: null };
  },
  watch: {
    cards(cards) {
      const keys = new Set(cards.map((card) => card.key));
      this.selected = this.selected.filter((key) => keys.has(key));
    },
  },
  methods: {
    isSelected(card) {
      return this.selected.includes(card.key);
    },
    toggle(card) {
      this.selected = this.isSelected(card)
        ? this.selected.filter((key) => key !== card.key)
        : [...this.selected, card.key];
    },
    rename(card, name) {
      if (name === card.name) return;
      this.$emit("rename", { shown: card.shown, name });
    },
    merge(keys) {
      const chosen = this.cards.filter((card) => keys.includes(card.key));
      this.selected = [];
      this.$emit("merge", { cards: chosen.map((card) => card.shown) });
    },
    onDrag(event, card) {
      if (event.target.closest && event.target.closest("input")) return event.preventDefault();
      this.dragged = card.key;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", card.label);
    },
    onOver(event, card) {
      if (this.dragged === null || this.dragged === card.key) return;
      event.preventDefault();
      this.over = card.key;
    },
    onLeave(event, card) {
      if (this.over === card.key && !event.currentTarget.contains(event.relatedTarget)) this.over = null;
    },
    onDrop(card) {
      const dragged = this.dragged;
      this.dragged = this.over = null;
      if (dragged !== null && dragged !== card.key) this.merge([dragged, card.key]);
    },
    filterSoon() {
      clearTimeout(this.timer);
      this.timer = setTimeout(this.filterNow, 200);
    },
    filterNow() {
      this.$emit("filter", { find: this.text, all: this.all });
    },
  },
};
