package androidx.test.runner.lifecycle;

import android.app.Activity;

/** Keeps the stage of each activity. */
public interface ActivityLifecycleMonitor {
    Stage getLifecycleStageOf(Activity activity);
}
