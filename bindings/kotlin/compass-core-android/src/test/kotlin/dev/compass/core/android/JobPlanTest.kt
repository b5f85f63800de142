package dev.compass.core.android

import dev.compass.core.model.Connectivity
import dev.compass.core.model.NetworkNeed.ANY
import dev.compass.core.model.NetworkNeed.UNMETERED
import dev.compass.core.model.NextDue
import java.time.Instant
import org.junit.Assert.assertEquals
import org.junit.Test

/** When the one job runs, depending on what is due and on the network. */
class JobPlanTest {
    private val now = Instant.parse("2027-01-15T08:00:00Z")
    private val soon = now.plusSeconds(60)
    private val later = now.plusSeconds(3600)
    private val free = Connectivity.Online(validated = true, metered = false, network = 1)
    private val metered = Connectivity.Online(validated = true, metered = true, network = 1)

    private fun plan(due: NextDue, connectivity: Connectivity) = JobPlan.of(due, now, connectivity)

    @Test
    fun `without due messages, or only with messages that need a person, there is no job`() {
        assertEquals(null, plan(NextDue(null, null, null, false), free))
        assertEquals(null, plan(NextDue(null, null, null, true), Connectivity.Offline))
    }

    @Test
    fun `messages that only wait for time get a job at that time, on any network`() =
        assertEquals(JobPlan(later, ANY), plan(NextDue(later, null, null, false), free))

    @Test
    fun `messages that wait for a network get a job as soon as there is one`() =
        assertEquals(JobPlan(now, ANY), plan(NextDue(later, null, ANY, false), Connectivity.Offline))

    @Test
    fun `a network that is already there makes no job earlier`() =
        assertEquals(JobPlan(later, ANY), plan(NextDue(later, null, ANY, false), free))

    @Test
    fun `messages for unmetered networks need an unmetered network`() {
        assertEquals(JobPlan(later, UNMETERED), plan(NextDue(null, later, null, false), free))
        assertEquals(JobPlan(now, UNMETERED), plan(NextDue(null, null, UNMETERED, false), metered))
    }

    @Test
    fun `the job considers both of two reasons`() {
        assertEquals(JobPlan(soon, ANY), plan(NextDue(soon, later, null, false), free))
        assertEquals(JobPlan(soon, UNMETERED, atLatest = later), plan(NextDue(later, soon, null, false), free))
        assertEquals(JobPlan(now, UNMETERED, atLatest = later), plan(NextDue(later, null, UNMETERED, false), metered))
    }
}
