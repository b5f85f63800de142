//! The app on the phone: how it opens the core, and its settings from the office.

use std::sync::Arc;
use std::time::Duration;

use compass_core::RetryPolicy;
use compass_core::document;
use compass_core::model::{ActionDefinition, Endpoint, NetworkPolicy, Signing, Workflow};
use compass_core::port::StaticSecrets;
use compass_core::transport::{BuiltIn, BuiltInOptions};
use compass_core::{Compass, Options};

use crate::arguments::Arguments;
use crate::receiver::Receiver;
use crate::{Outcome, screen};

/// Not really a secret: everybody can read it here.
const EXAMPLE_SECRET: &str = "whsec_ZmllbGQtZGF5LWV4YW1wbGUtc2VjcmV0LTAxMjM0NTY3ODk=";
const SECRET_NAME: &str = "office-signing";
const DEFAULT_WORKFLOW: &str = include_str!("../workflows/boiler-service.json");

pub struct Phone {
    pub compass: Compass,
    /// None when an endpoint was given on the command line.
    pub receiver: Option<Receiver>,
    url: String,
}

impl Phone {
    /// Starts the receiver, then opens the database.
    pub fn switch_on(arguments: &Arguments) -> Outcome<Self> {
        let secret = match &arguments.secret_env {
            Some(name) => std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))?,
            None => EXAMPLE_SECRET.to_owned(),
        };
        let mut extra_roots = Vec::new();
        if let Some(path) = &arguments.ca {
            extra_roots.push(std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?);
        }
        let receiver = match arguments.endpoint {
            Some(_) => None,
            None => Some(Receiver::start(arguments.port, &secret)?),
        };
        extra_roots.extend(receiver.as_ref().map(|receiver| receiver.authority.clone().into_bytes()));
        let url = match (&arguments.endpoint, &receiver) {
            (Some(url), _) => url.clone(),
            (None, Some(receiver)) => receiver.url.clone(),
            (None, None) => return Err("there is no endpoint to deliver to".into()),
        };
        let secrets = StaticSecrets::new();
        secrets.set(SECRET_NAME, &secret);
        let compass = Compass::open(
            Options::new(&arguments.db)
                .secrets(Arc::new(secrets))
                .transport(Arc::new(BuiltIn::new(BuiltInOptions { extra_roots, ..BuiltInOptions::default() })?))
                .retry(short_schedule()),
        )?;
        screen::line(format!("database  {}", arguments.db.display()));
        Ok(Self { compass, receiver, url })
    }

    /// Imports the workflow with one more action than its publisher gave it, turns webhooks on, and registers the endpoint.
    pub fn set_up(&self, arguments: &Arguments) -> Outcome<Workflow> {
        let published = match &arguments.workflow {
            Some(path) => std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?,
            None => DEFAULT_WORKFLOW.as_bytes().to_vec(),
        };
        let imported = self.compass.import_workflow(&published)?.workflow.workflow;
        screen::line(format!("imported  {} {}", imported.name, imported.version_label()));
        let workflow = self.compass.workflow(&imported.key, None)?;
        let endpoint = workflow
            .sections
            .iter()
            .flat_map(|section| &section.actions)
            .next()
            .map_or("office", |action| action.endpoint.as_str())
            .to_owned();

        let quiet =
            |section: &&compass_core::model::Section| !section.is_end() && section.actions.is_empty() && section.key != workflow.start;
        if let Some(section) = workflow.sections.iter().find(quiet).filter(|_| workflow.local_revision == 0) {
            let action = ActionDefinition::send_message(
                "field-day",
                format!("Report to the office that “{}” was reached", section.name),
                endpoint.clone(),
            );
            let authored = document::add_action(&published, &section.key, &action)?;
            let revised = self.compass.import_workflow(&authored.document)?.workflow.workflow;
            screen::line(format!("added     a Send Message action to “{}”, which makes it {}", section.name, revised.version_label()));
        }

        self.compass.set_integration_enabled(true)?;
        self.put_endpoints(&imported.key)?;
        screen::line(format!("endpoint  {endpoint} → {} (signed)", self.url));
        screen::line(screen::dim("retries   after 1, 2, 4, … seconds instead of minutes and hours, for a short demonstration"));
        Ok(self.compass.workflow(&imported.key, None)?)
    }

    /// Registers every endpoint that the workflow names with the same URL. The same endpoint again changes nothing.
    pub fn put_endpoints(&self, workflow: &str) -> Outcome<()> {
        let workflow = self.compass.workflow(workflow, None)?;
        let mut keys: Vec<&str> =
            workflow.sections.iter().flat_map(|section| &section.actions).map(|action| action.endpoint.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            self.compass.put_endpoint(&Endpoint {
                key: key.to_owned(),
                url: self.url.clone(),
                signing: Signing::StandardWebhooks { secret: SECRET_NAME.to_owned() },
                headers: Vec::new(),
                network: NetworkPolicy::Any,
            })?;
        }
        Ok(())
    }
}

/// Seconds instead of the default minutes and hours.
fn short_schedule() -> RetryPolicy {
    RetryPolicy {
        schedule: [1, 2, 4, 8].map(Duration::from_secs).to_vec(),
        overload_shortest: Duration::from_secs(1),
        online_spread: Duration::from_secs(1),
        breaker_longest_pause: Duration::from_secs(4),
        retry_after_default: Duration::from_secs(1),
        offline_first: Duration::from_secs(1),
        offline_longest: Duration::from_secs(4),
        ..RetryPolicy::default()
    }
}
