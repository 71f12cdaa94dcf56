import { expect, test, type Page } from "@playwright/test";
import { openIssuer, type Issuer } from "./issuer";
import { expectNoViolations, ownBrowser, signIn, title } from "./support";

let issuer: Issuer;
let added = "";
test.beforeEach(async () => {
  const login = title("jane").replace(/\W/g, "");
  issuer = await openIssuer({
    sub: login,
    preferred_username: login,
    email: `${login}@corp.example.com`,
    email_verified: true,
    given_name: "Jane",
    family_name: "Elsewhere",
    groups: ["desk"],
  });
});
test.afterEach(() => issuer.close());

/** One more provider, from the list to its page, with everything the issuer wants. */
async function setUp(admin: Page): Promise<string> {
  const name = title("House");
  await admin.getByRole("button", { name: "Add a provider" }).click();
  await admin.getByLabel("Name").fill(name);
  await admin.getByRole("button", { name: "Add", exact: true }).click();
  await expect(admin.getByRole("heading", { name, level: 1 })).toBeVisible();
  added = admin.url();
  await admin.getByLabel("Issuer").fill(issuer.url);
  await admin.getByLabel("Client ID").fill("waypost");
  await admin.getByLabel("Client secret").fill("a secret");
  await admin.getByLabel("Create accounts").check();
  await save(admin, 0);
  await expect(admin.getByLabel("Client secret")).toHaveAttribute("placeholder", /^Kept/);
  return name;
}
async function save(admin: Page, which: number): Promise<void> {
  const button = admin.getByRole("button", { name: "Save" }).nth(which);
  await button.click();
  await expect(button).toBeDisabled();
}
async function give(admin: Page, of: string, role: string): Promise<void> {
  await admin.getByRole("combobox", { name: `Roles of ${of}` }).click();
  await admin.getByRole("option", { name: role, exact: true }).click();
  await admin.keyboard.press("Escape");
  await expect(admin.getByRole("option")).toHaveCount(0); // the list is gone, also from what is drawn
}

test("a provider is set up, tried, switched on, and lets somebody in and out again", async ({
  page,
  browser,
}) => {
  test.setTimeout(120_000);
  await signIn(page, "admin", "/settings/identity-providers");
  const name = await setUp(page);

  await page.getByRole("button", { name: "Ask the provider" }).click();
  await expect(page.getByText("It answers as it should.")).toBeVisible();
  await give(page, "Everybody who comes by it", "Employee");
  await page.getByRole("button", { name: "Add a group" }).click();
  await page.getByLabel("Group", { exact: true }).fill("desk");
  await give(page, "desk", "Agent");
  await save(page, 1);

  await page.getByRole("button", { name: "Try signing in" }).click();
  await expect(page.getByText(/This would create the account jane/)).toBeVisible();
  await expect(page.getByText("Roles by its groups: Agent, Employee.")).toBeVisible();
  await page.getByText("What the provider said").click();
  await expect(page.getByText(`${issuer.person.sub as string}@corp.example.com`)).toBeVisible();
  await expectNoViolations(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await expectNoViolations(page);

  const visitor = await ownBrowser(browser);
  await visitor.goto("/login");
  await expect(visitor.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
  await expect(visitor.getByRole("button", { name: `Sign in with ${name}` })).toHaveCount(0);
  await page.getByRole("switch", { name: "On" }).click();
  await save(page, 0);

  await visitor.goto("/login?next=/account/security");
  await visitor.getByRole("button", { name: `Sign in with ${name}` }).click();
  await visitor.waitForURL("**/account/security");
  const linked = visitor.getByRole("region", { name: "Accounts elsewhere" });
  await expect(linked.getByText(name)).toBeVisible();
  await expectNoViolations(visitor);
  await visitor.getByRole("button", { name: "Jane Elsewhere" }).click();
  await visitor.getByRole("menuitem", { name: "Sign out" }).click();
  await visitor.waitForURL(/\/login\?state=/); // by way of the provider's own page
  await expect(visitor.getByLabel("Username or e-mail")).toBeVisible();
  await expectNoViolations(visitor);

  await visitor.goto("/login#refused=denied");
  await expect(visitor.getByRole("alert")).toContainText("You were not let through there.");
  await signIn(visitor, "employee"); // a password still opens

  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await page.waitForURL("**/settings/identity-providers");
  await expect(page.getByRole("link", { name })).toHaveCount(0);
  await page.goto(added);
  await expect(page.getByText("There is no such identity provider.")).toBeVisible();
});

test("an account is linked and unlinked by its person", async ({ page, browser }) => {
  test.setTimeout(90_000);
  await signIn(page, "admin", "/settings/identity-providers");
  const name = await setUp(page);
  await page.getByRole("switch", { name: "On" }).click();
  await save(page, 0);

  const person = await ownBrowser(browser);
  await signIn(person, "outsider", "/account/security");
  await person.getByRole("button", { name: `Link with ${name}` }).click();
  await expect(person.getByText("Your account is linked.").first()).toBeVisible();
  const other = await ownBrowser(browser);
  await other.goto("/login?next=/account/security");
  await other.getByRole("button", { name: `Sign in with ${name}` }).click();
  await expect(other.getByRole("button", { name: `Unlink ${name}` })).toBeVisible();

  await person.getByRole("button", { name: `Unlink ${name}` }).click();
  await person.getByRole("dialog").getByRole("button", { name: "Unlink" }).click();
  await expect(person.getByRole("button", { name: `Link with ${name}` })).toBeVisible();
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await page.waitForURL("**/settings/identity-providers");
});
