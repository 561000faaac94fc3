#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cii_exporter::fuzz::check("headers", input));
