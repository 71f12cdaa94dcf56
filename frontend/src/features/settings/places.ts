/** What can be set up, for the settings page: one entry for each screen, in the order people look for them. */
export interface SettingsPlace {
  to: string;
  /** Keys under `settings.place.<key>`: `title` and `text`. */
  key: string;
  icon: string;
  /** The permission its screen needs. */
  needs: string;
}

export const places: SettingsPlace[] = [
  {
    to: "/settings/ticket-types",
    key: "ticketTypes",
    icon: "i-lucide-clipboard-list",
    needs: "catalog:configure",
  },
  { to: "/settings/categories", key: "categories", icon: "i-lucide-list-tree", needs: "catalog:configure" },
  {
    to: "/settings/workflows",
    key: "workflows",
    icon: "i-lucide-workflow",
    needs: "approvals:read_definitions",
  },
  { to: "/audit", key: "trail", icon: "i-lucide-scroll-text", needs: "audit:read" },
  {
    to: "/settings/audit-streams",
    key: "auditStreams",
    icon: "i-lucide-radio-tower",
    needs: "audit:configure",
  },
  {
    to: "/settings/audit-retention",
    key: "auditRetention",
    icon: "i-lucide-archive",
    needs: "audit:configure",
  },
  { to: "/approvals/reviews", key: "reviews", icon: "i-lucide-scan-eye", needs: "audit:read" },
  {
    to: "/settings/canned-replies",
    key: "canned",
    icon: "i-lucide-message-square-text",
    needs: "tickets:comment_internal",
  },
  { to: "/settings/import", key: "import", icon: "i-lucide-file-up", needs: "tickets:import" },
  { to: "/settings/routing", key: "routing", icon: "i-lucide-route", needs: "routing:configure" },
  { to: "/settings/service-levels", key: "levels", icon: "i-lucide-timer", needs: "sla:read" },
  { to: "/settings/automation", key: "automation", icon: "i-lucide-zap", needs: "automation:configure" },
  { to: "/settings/people", key: "people", icon: "i-lucide-contact", needs: "directory:configure" },
  {
    to: "/settings/identity-providers",
    key: "identity",
    icon: "i-lucide-key-round",
    needs: "identity:configure",
  },
  { to: "/settings/sign-in", key: "signIn", icon: "i-lucide-shield-check", needs: "roles:configure" },
  {
    to: "/settings/departments",
    key: "departments",
    icon: "i-lucide-network",
    needs: "directory:configure",
  },
  {
    to: "/settings/provisioning",
    key: "provisioning",
    icon: "i-lucide-user-round-plus",
    needs: "identity:configure",
  },
  { to: "/settings/roles", key: "roles", icon: "i-lucide-key-round", needs: "roles:read" },
  { to: "/settings/access", key: "access", icon: "i-lucide-circle-help", needs: "roles:read" },
  {
    to: "/settings/personal-data",
    key: "personalData",
    icon: "i-lucide-eraser",
    needs: "privacy:handle",
  },
  {
    to: "/settings/service-accounts",
    key: "serviceAccounts",
    icon: "i-lucide-bot",
    needs: "tokens:configure",
  },
  { to: "/settings/api-tokens", key: "apiTokens", icon: "i-lucide-key-round", needs: "tokens:configure" },
  { to: "/settings/teams", key: "teams", icon: "i-lucide-users", needs: "directory:configure" },
  {
    to: "/settings/notifications",
    key: "tellings",
    icon: "i-lucide-bell-ring",
    needs: "notifications:configure",
  },
  {
    to: "/settings/templates",
    key: "words",
    icon: "i-lucide-text-quote",
    needs: "notifications:configure",
  },
  { to: "/settings/channels", key: "channels", icon: "i-lucide-send", needs: "notifications:configure" },
  { to: "/settings/mailboxes", key: "mailboxes", icon: "i-lucide-inbox", needs: "notifications:configure" },
  {
    to: "/settings/quarantine",
    key: "arrivals",
    icon: "i-lucide-mail-search",
    needs: "notifications:configure",
  },
  {
    to: "/settings/deliveries",
    key: "messages",
    icon: "i-lucide-mails",
    needs: "notifications:read_deliveries",
  },
];
