package androidx.test.runner.intent;

/** Takes the monitor, and forgets it: nothing here asks for it. */
public final class IntentMonitorRegistry {
    private IntentMonitorRegistry() {}

    public static void registerInstance(IntentMonitor instance) {}
}
