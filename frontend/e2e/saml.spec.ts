/** A SAML provider is set up from its metadata, and people leave for it from the door. */
import { expect, test, type Page } from "@playwright/test";
import { inflateRawSync } from "node:zlib";
import { as, expectNoViolationsInBothThemes, ownBrowser, title } from "./support";

// A certificate of its own, whose key nobody has.
const CERTIFICATE =
  "MIIBITCBx6ADAgECAgEBMAoGCCqGSM49BAMCMBoxGDAWBgNVBAMMD2lkcC5leGFtcGxlLmNvbTAeFw0yNjAxMDEwMDAwMDBaFw00" +
  "NjAxMDEwMDAwMDBaMBoxGDAWBgNVBAMMD2lkcC5leGFtcGxlLmNvbTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKOcFYUVvvDU" +
  "Chjruax3HL5QJhXsRKpJ89WK2GhqdM83Phoyj2bt5m8XxcuUVZgb59Oo0nVqerC0Bp9Sz/Kj1cQwCgYIKoZIzj0EAwIDSQAwRgIh" +
  "AKjXaOBMQ+vXCcDrwun+UE+wK6eqPTQ/TVGyzE5Dtp30AiEA1vSr5fsl8N3pPkL1LZXbgE5Lp1TbPApWRkF+5OmEz8M=";
const METADATA = `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/metadata">
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
      <ds:X509Certificate>${CERTIFICATE}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
    <md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso"/>
  </md:IDPSSODescriptor></md:EntityDescriptor>`;

async function fillIn(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "Add a provider" }).first().click();
  const dialog = page.getByRole("dialog", { name: "Add a provider" });
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByRole("combobox", { name: "Kind" }).click();
  await page.getByRole("option", { name: "SAML 2.0" }).click();
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
}

test("a SAML provider, from its metadata to the door", async ({ browser }) => {
  const name = title("SAML");
  const page = await as(browser, "admin", "/settings/identity-providers");
  await fillIn(page, name);

  await page.getByRole("button", { name: "Paste it instead" }).click();
  const metadata = page.getByLabel("Its metadata (XML)");
  await metadata.fill("<nothing/>");
  await page.getByRole("button", { name: "Read", exact: true }).click();
  await expect(page.getByText("0 identity providers are described, and one is wanted")).toBeVisible();
  await metadata.fill(METADATA);
  await page.getByRole("button", { name: "Read", exact: true }).click();
  await expect(page.getByText("The settings below are filled in, and not saved yet.").first()).toBeVisible();
  await expect(page.getByText("CN=idp.example.com")).toBeVisible();
  await expect(page.getByLabel("Entity ID", { exact: true })).toHaveValue("https://idp.example.com/metadata");
  await expect(page.getByLabel("Sign-in address", { exact: true })).toHaveValue(
    "https://idp.example.com/sso",
  );
  await expectNoViolationsInBothThemes(page);

  await page.getByRole("switch", { name: "On" }).click();
  await page
    .getByRole("form", { name: "Settings of the provider" })
    .getByRole("button", { name: "Save" })
    .click();
  await expect(page.getByText("The provider is saved.").first()).toBeVisible();
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download Our certificate" }).click();
  expect((await download).suggestedFilename()).toMatch(/^waypost-.*\.pem$/);

  const door = await ownBrowser(browser);
  let left: URL | undefined;
  await door.route("https://idp.example.com/**", (route) => {
    left = new URL(route.request().url());
    return route.fulfill({ contentType: "text/html", body: "<title>There</title>" });
  });
  await door.goto("/login?next=/tickets");
  await door.getByRole("button", { name }).click();
  await expect(door).toHaveTitle("There");
  const asked = left?.searchParams;
  expect(asked?.get("SigAlg")).toMatch(/rsa-sha256$/);
  const request = inflateRawSync(Buffer.from(asked?.get("SAMLRequest") ?? "", "base64")).toString();
  expect(request).toContain("AuthnRequest");
  expect(request).toContain('Destination="https://idp.example.com/sso"');

  await page.getByRole("button", { name: "Remove", exact: true }).click();
  const sure = page.getByRole("dialog");
  await sure.getByRole("button", { name: "Remove" }).click();
  await expect(page).toHaveURL(/identity-providers$/);
});
