//! Prints the public API that a JSON file of rustdoc describes: `compass-api-listing FILE`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args_os().nth(1).ok_or("which file of rustdoc?")?;
    print!(
        "{}",
        public_api::Builder::from_rustdoc_json(file)
            .omit_blanket_impls(true)
            .omit_auto_trait_impls(true)
            .omit_auto_derived_impls(true)
            .build()?
    );
    Ok(())
}
