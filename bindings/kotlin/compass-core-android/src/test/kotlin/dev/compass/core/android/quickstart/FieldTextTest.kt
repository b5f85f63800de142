package dev.compass.core.android.quickstart

import dev.compass.core.Compass
import dev.compass.core.CompassException
import dev.compass.core.CompassOptions
import dev.compass.core.ErrorCode
import dev.compass.core.model.Endpoint
import dev.compass.core.model.FieldKind
import dev.compass.core.model.FieldState
import dev.compass.core.model.FieldValue
import dev.compass.core.model.Signing
import dev.compass.core.testing.FakeCall
import dev.compass.core.testing.FakeCompass
import dev.compass.core.testing.FakeState
import dev.compass.core.testing.MemorySecretStore
import dev.compass.core.testing.WebhookSink
import dev.compass.core.testing.fieldView
import dev.compass.core.testing.problem
import dev.compass.core.testing.sessionView
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

// The following code is in docs/embedding-android.md, line for line.
@RunWith(RobolectricTestRunner::class)
class FieldTextTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun aRefusalIsShown() = runBlocking {
        val view = sessionView { copy(fields = listOf(fieldView { copy(definition = definition.copy(kind = FieldKind.Decimal())) })) }
        val fake = FakeCompass(FakeState(views = mapOf(view.key to view)))
        val entry = FieldText(view.fields.single(), view.key, fake, "ada") { launch { it() } }
        entry.typed("1,5")
        fake.refuseNext(CompassException(ErrorCode.FIELD_PROBLEMS, problems = listOf(problem { copy(code = "too_small") })), of = "setFields")
        entry.commit().join()
        assertEquals("too_small", entry.problem.value)
        assertTrue(FakeCall("saveDraft", listOf(view.key, "site", "1,5")) in fake.calls)
        entry.commit().join()
        assertEquals(FieldState.Provided(FieldValue.Decimal("1.5".toBigDecimal())), fake.session(view.key).fields.single().state)
        entry.typed("")
        entry.commit().join()
        assertEquals(FieldState.NotProvided, fake.session(view.key).fields.single().state)
    }

    @Test
    fun theOfficeGetsASignedMessage() = WebhookSink().use { office ->
        runBlocking {
            val secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
            val path = folder.root.resolve("compass.db").path
            val compass = Compass.open(CompassOptions(path, MemorySecretStore(mapOf("office" to secret)), allowPlainHttpToLoopback = true))
            compass.putEndpoint(Endpoint("office", office.url, Signing.StandardWebhooks("office")))
            compass.testDelivery("office")
            assertTrue(office.await().isSignedWith(secret))
            compass.shutDown()
        }
    }
}
