package androidx.test.runner.lifecycle;

/** Takes the monitor, and forgets it: nothing here asks for it. */
public final class ApplicationLifecycleMonitorRegistry {
    private ApplicationLifecycleMonitorRegistry() {}

    public static void registerInstance(ApplicationLifecycleMonitor instance) {}
}
