import "@/styles/main.css";
import ui from "@nuxt/ui/vue-plugin";
import { VueQueryPlugin } from "@tanstack/vue-query";
import { createPinia } from "pinia";
import { createApp, watch } from "vue";
import { titled, useUnread } from "@/shared/composables/useUnread";
import { usePreferences } from "@/stores/preferences";
import App from "./App.vue";
import { i18n } from "./i18n";
import { startKeeping } from "./offline";
import { offerInstall } from "./offline/install";
import { queryClient } from "./query";
import { router } from "./router";

const app = createApp(App);
app.use(createPinia());
usePreferences();
app.use(i18n);
app.use(VueQueryPlugin, { queryClient });
app.use(router);
app.use(ui);
startKeeping(queryClient);
offerInstall();
const { unread } = useUnread();
watch([router.currentRoute, unread], ([route]) => {
  const title = route.meta.title ? i18n.global.t(route.meta.title) : "";
  document.title = titled(title ? `${title} · Waypost` : "Waypost", unread.value);
});
app.mount("#app");
