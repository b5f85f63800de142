//! The options of the example.

use std::path::PathBuf;

pub const HELP: &str = "\
A day in the field: sessions with no signal, and webhooks that are sent automatically when it returns.

cargo run --example field_day -- [OPTIONS]

  --workflow FILE     run this workflow document instead of boiler-service.json
  --db FILE           use this database file instead of a new one
  --endpoint URL      deliver to this endpoint instead of a receiver in this process
  --secret-env NAME   with --endpoint: the environment variable that holds its secret (whsec_…)
  --ca FILE           with --endpoint: trust the certificates in this PEM file too
  --interactive       you are the technician: answer at the prompt
  --help              this text
";

/// Which half of the day this process plays.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Whole,
    Morning,
    Afternoon,
}

pub struct Arguments {
    pub part: Part,
    pub workflow: Option<PathBuf>,
    pub db: PathBuf,
    pub endpoint: Option<String>,
    pub secret_env: Option<String>,
    pub ca: Option<PathBuf>,
    pub interactive: bool,
    /// The port of the receiver; 0: any free port.
    pub port: u16,
}

impl Arguments {
    /// None when the help was requested.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut parsed = Self {
            part: Part::Whole,
            workflow: None,
            db: std::env::temp_dir().join(format!("field-day-{}.db", std::process::id())),
            endpoint: None,
            secret_env: None,
            ca: None,
            interactive: false,
            port: 0,
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--workflow" => parsed.workflow = Some(value()?.into()),
                "--db" => parsed.db = value()?.into(),
                "--endpoint" => parsed.endpoint = Some(value()?),
                "--secret-env" => parsed.secret_env = Some(value()?),
                "--ca" => parsed.ca = Some(value()?.into()),
                "--interactive" => parsed.interactive = true,
                "--help" | "-h" => return Ok(None),
                // How the example starts itself again; not for people.
                "--part" => parsed.part = if value()? == "morning" { Part::Morning } else { Part::Afternoon },
                "--port" => parsed.port = value()?.parse().map_err(|_| "--port needs a number".to_owned())?,
                other => return Err(format!("unknown option: {other}")),
            }
        }
        if parsed.endpoint.is_some() != parsed.secret_env.is_some() {
            return Err("--endpoint and --secret-env belong together".to_owned());
        }
        Ok(Some(parsed))
    }

    /// The same arguments for another process that plays `part`.
    pub fn to_vec(&self, part: Part) -> Vec<String> {
        let part = if part == Part::Morning { "morning" } else { "afternoon" };
        let mut all = vec!["--part".into(), part.into(), "--port".into(), self.port.to_string()];
        all.extend(["--db".into(), self.db.display().to_string()]);
        let optional = [
            ("--workflow", self.workflow.as_ref().map(|path| path.display().to_string())),
            ("--endpoint", self.endpoint.clone()),
            ("--secret-env", self.secret_env.clone()),
            ("--ca", self.ca.as_ref().map(|path| path.display().to_string())),
        ];
        for (name, value) in optional {
            all.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
        }
        all
    }
}
