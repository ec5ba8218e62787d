// Copies a text. Where the browser refuses the clipboard, a field with the selected text appears.
export default {
  props: { text: String, label: String },
  template: `
    <span class="copy">
      <button type="button" class="quiet-button" @click="copy">{{ done ? "Copied" : label }}</button>
      <input v-if="isRefused" ref="field" class="copy-field" type="text" readonly :value="text" :aria-label="label" dir="auto" />
    </span>
  `,
  data() {
    return { done: false, isRefused: false };
  },
  methods: {
    async copy() {
      try {
        await navigator.clipboard.writeText(this.text);
        this.done = true;
        setTimeout(() => (this.done = false), 2000);
      } catch {
        this.isRefused = true;
        await this.$nextTick();
        this.$refs.field.select();
      }
    },
  },
};
