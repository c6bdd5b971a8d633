"use strict";
// Stands in for the vendor's cadesplugin_api.js: the documented asynchronous contract (docs.cryptopro.ru,
// "КриптоПро ЭЦП Browser plug-in", objects of CAdESCOM), and its manners: every property is a promise,
// setters are propset_…, lists count from 1, errors are texts that end in a Windows code, and order
// matters (HashedData.SetHashValue before its Algorithm is an error 0x80070057).
// Keys stay in Python: window.testKeys() lists certificates, window.testSign(…) makes the CMS.
(() => {
  const constants = {
    CAPICOM_CURRENT_USER_STORE: 2, CADESCOM_CONTAINER_STORE: 100, CAPICOM_MY_STORE: "My",
    CAPICOM_STORE_OPEN_MAXIMUM_ALLOWED: 2, CAPICOM_CERTIFICATE_INCLUDE_CHAIN_EXCEPT_ROOT: 0,
    CADESCOM_CADES_BES: 1, CADESCOM_BASE64_TO_BINARY: 1, CADESCOM_ENCODE_BASE64: 0,
    CADESCOM_AUTHENTICATED_ATTRIBUTE_SIGNING_TIME: 0,
    CADESCOM_HASH_ALGORITHM_SHA_256: 4, CADESCOM_HASH_ALGORITHM_SHA_384: 5, CADESCOM_HASH_ALGORITHM_SHA_512: 6,
    CADESCOM_HASH_ALGORITHM_CP_GOST_3411_2012_256: 101, CADESCOM_HASH_ALGORITHM_CP_GOST_3411_2012_512: 102,
  };
  const lengths = { 4: 64, 5: 96, 6: 128, 101: 64, 102: 128 };
  const fail = (text, code) => { throw new Error(`${text} (${code})`); };
  const wrong = () => fail("The parameter is incorrect.", "0x80070057");

  function certificate(one) {
    return {
      get Thumbprint() { return Promise.resolve(one.thumbprint); },
      get SubjectName() { return Promise.resolve(one.subject); },
      get IssuerName() { return Promise.resolve(one.issuer); },
      get ValidFromDate() { return Promise.resolve(one.from); },
      get ValidToDate() { return Promise.resolve(one.until); },
      HasPrivateKey: async () => one.key,
      Export: async (encoding) => (encoding === 0 ? one.der.replace(/(.{64})/g, "$1\r\n") : wrong()),
      own: one,
    };
  }

  const objects = {
    "CAdESCOM.Store": () => {
      let open = false;
      let place = 0;
      return {
        Open: async (where, name, mode) => { if (name !== "My" || mode !== 2) wrong(); open = true; place = where; },
        get Certificates() {
          if (!open) fail("The store is closed.", "0x80070006");
          return window.testKeys().then((keys) => {
            const mine = place === 2 ? keys : [];
            return {
              get Count() { return Promise.resolve(mine.length); },
              Item: async (number) => (mine[number - 1] ? certificate(mine[number - 1]) : wrong()),
            };
          });
        },
        Close: async () => { open = false; },
      };
    },
    "CAdESCOM.HashedData": () => {
      const kept = {};
      return {
        kept,
        propset_Algorithm: async (value) => { if (!(value in lengths)) wrong(); kept.algorithm = value; },
        SetHashValue: async (hex) => {
          if (!kept.algorithm || !/^[0-9A-F]+$/.test(hex) || hex.length !== lengths[kept.algorithm]) wrong();
          kept.hex = hex;
        },
      };
    },
    "CADESCOM.CPAttribute": () => {
      const kept = {};
      return {
        kept,
        propset_Name: async (value) => { kept.name = value; },
        propset_Value: async (value) => { kept.value = value; },
      };
    },
    "CAdESCOM.CPSigner": () => {
      const kept = { attributes: [] };
      return {
        kept,
        propset_Certificate: async (value) => { kept.certificate = value.own || wrong(); },
        propset_Options: async (value) => { kept.options = value; },
        get AuthenticatedAttributes2() {
          return Promise.resolve({ Add: async (one) => { kept.attributes.push(one.kept); } });
        },
      };
    },
    "CAdESCOM.CadesSignedData": () => ({
      propset_ContentEncoding: async (value) => { if (value !== 1) wrong(); },
      propset_Content: async () => {},
      SignHash: async (hashed, signer, type) => {
        if (type !== 1 || !hashed.kept.hex || !signer.kept.certificate) wrong();
        const time = signer.kept.attributes.find((one) => one.name === 0);
        const answer = await window.testSign({
          thumbprint: signer.kept.certificate.thumbprint, hash: hashed.kept.hex,
          algorithm: hashed.kept.algorithm, time: time ? time.value.toISOString() : null,
        });
        if (answer.error) fail(answer.text, answer.error);
        return answer.cms;
      },
    }),
  };

  const plugin = new Promise((resolve) => { setTimeout(resolve, 20); });
  Object.assign(plugin, constants, {
    CreateObjectAsync: async (name) => (objects[name] ? objects[name]() : fail("Class not registered", "0x80040154")),
    getLastError: (error) => error.message || String(error),
  });
  window.cadesplugin = plugin;
})();
