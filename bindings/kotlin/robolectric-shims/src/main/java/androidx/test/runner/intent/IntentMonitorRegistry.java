package androidx.test.runner.intent;

/** Ignores the monitor: nothing here needs it. */
public final class IntentMonitorRegistry {
    private IntentMonitorRegistry() {}

    public static void registerInstance(IntentMonitor instance) {}
}
