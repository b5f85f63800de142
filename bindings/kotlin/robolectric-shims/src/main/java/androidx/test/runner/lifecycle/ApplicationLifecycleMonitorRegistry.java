package androidx.test.runner.lifecycle;

/** Ignores the monitor: nothing here needs it. */
public final class ApplicationLifecycleMonitorRegistry {
    private ApplicationLifecycleMonitorRegistry() {}

    public static void registerInstance(ApplicationLifecycleMonitor instance) {}
}
