package androidx.test.runner.intent;

/** Is told of intents; nobody asks it. */
public interface IntentMonitor {}
