package androidx.test.runner.intent;

/** Is notified of intents; nothing reads it. */
public interface IntentMonitor {}
