// sigstore-js as a program: sign and verify files and attestations, configured by a trust repository alone.
//   sigstore.js sign|attest v1|v2 TUF_URL ROOT TOKEN_FILE ARTIFACT PAYLOAD_TYPE BUNDLE
//   sigstore.js verify TUF_URL ROOT IDENTITY ISSUER BUNDLE [ARTIFACT]
const fs = require("fs");
const os = require("os");
const path = require("path");
const modules = process.env.NODE_MODULES;
const sigstore = require(path.join(modules, "sigstore"));
const tuf = require(path.join(modules, "@sigstore/tuf"));
const { bundleToJSON } = require(path.join(modules, "@sigstore/bundle"));
const { DSSEBundleBuilder, FulcioSigner, MessageSignatureBundleBuilder, RekorWitness, TSAWitness } =
  require(path.join(modules, "@sigstore/sign"));

const cache = fs.mkdtempSync(path.join(os.tmpdir(), "sigstore-js-"));

async function signingConfig(api, mirrorURL, rootPath) {
  const client = await tuf.initTUF({ mirrorURL, rootPath, cachePath: cache });
  const name = api === "v2" ? "signing_config.v0.2.json" : "signing_config_rekor_v1.v0.2.json";
  return JSON.parse(await client.getTarget(name));
}

async function sign(kind, api, mirrorURL, rootPath, tokenFile, artifact, payloadType, out) {
  const config = await signingConfig(api, mirrorURL, rootPath);
  const token = fs.readFileSync(tokenFile, "utf8").trim();
  const signer = new FulcioSigner({
    fulcioBaseURL: config.caUrls[0].url,
    identityProvider: { getToken: async () => token },
  });
  const witnesses = [
    new RekorWitness({
      rekorBaseURL: config.rekorTlogUrls[0].url,
      majorApiVersion: config.rekorTlogUrls[0].majorApiVersion,
      entryType: "dsse",
      fetchOnConflict: true,
    }),
  ];
  for (const tsa of config.tsaUrls || []) witnesses.push(new TSAWitness({ tsaBaseURL: tsa.url }));
  const data = fs.readFileSync(artifact);
  const bundle =
    kind === "sign"
      ? await new MessageSignatureBundleBuilder({ signer, witnesses }).create({ data })
      : await new DSSEBundleBuilder({ signer, witnesses }).create({ data, type: payloadType });
  fs.writeFileSync(out, JSON.stringify(bundleToJSON(bundle)));
}

async function verify(mirrorURL, rootPath, identity, issuer, bundleFile, artifact) {
  const bundle = JSON.parse(fs.readFileSync(bundleFile, "utf8"));
  const options = {
    tufMirrorURL: mirrorURL,
    tufRootPath: rootPath,
    tufCachePath: cache,
    certificateIdentityEmail: identity,
    certificateIssuer: issuer,
  };
  if (artifact && bundle.messageSignature) {
    await sigstore.verify(bundle, fs.readFileSync(artifact), options);
  } else {
    await sigstore.verify(bundle, options);
  }
}

const [command, ...rest] = process.argv.slice(2);
const work = command === "verify" ? verify(...rest) : sign(command, ...rest);
work.then(
  () => process.exit(0),
  (error) => {
    console.error(error.code || "", error.message, (error.cause && error.cause.message) || "");
    process.exit(1);
  },
);
