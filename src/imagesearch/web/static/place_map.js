// A small map: land, water, borders, and points that are links to photos.
export default {
  props: { shapes: Object, size: Array, points: Array },
  template: `
    <svg class="place-map" :viewBox="'0 0 ' + size[0] + ' ' + size[1]" role="group" aria-label="map of the photos nearby">
      <path class="map-land" :d="shapes.land" />
      <path class="map-water" :d="shapes.water" />
      <path class="map-border" :d="shapes.borders" />
      <path class="map-coast" :d="shapes.coasts" />
      <template v-for="point in points" :key="point.href">
        <a v-if="point.href" :href="point.href" :aria-label="point.label">
          <circle class="map-point" :cx="point.x" :cy="point.y" r="4.5"><title>{{ point.label }}</title></circle>
        </a>
        <circle v-else class="map-here" :cx="point.x" :cy="point.y" r="6"><title>{{ point.label }}</title></circle>
      </template>
    </svg>
  `,
};
